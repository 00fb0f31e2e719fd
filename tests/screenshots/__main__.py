"""Start a Gatehouse with its demo, and a demo at scale, and take every picture of the guides."""

import argparse
import shutil
import sys
import time
from collections.abc import Callable
from importlib import import_module

from playwright.sync_api import sync_playwright

from tests.portal.browser.inspector import launch
from tests.scenarios.running import Running
from tests.screenshots.camera import Camera

# in this order: what one makes, the next ones show
STORIES = ("getting_started", "keys_and_plans", "seeing", "publishing", "business")
SCALE = ("--subscriptions", "150", "--days", "120", "--anyway")


def steps() -> list[Callable[[Camera], None]]:
    return [step for name in STORIES for step in import_module(f"tests.screenshots.{name}").STORY]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.screenshots", description=__doc__)
    # as `make run` has them: they stand in the pictures
    parser.add_argument("--portal-port", default="8000")
    parser.add_argument("--gateway-port", default="8080")
    ports = parser.parse_args()
    running = Running(GATEHOUSE_PORTAL_PORT=ports.portal_port, GATEHOUSE_GATEWAY_PORT=ports.gateway_port)
    try:
        running.start(300)
        running.manage("demo", "--scale", *SCALE)
        for _ in range(20):  # so that the demo's API has been called
            running.call("/httpbin/v1/get", running.facts["api_key"])
        time.sleep(15)  # until they are counted: pages keep an API's health for a minute
        with sync_playwright() as playwright:
            browser = launch(playwright)
            camera = Camera(browser, running)
            for step in steps():
                step(camera)
            browser.close()
    finally:
        running.stop()
        shutil.rmtree(running.var, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
