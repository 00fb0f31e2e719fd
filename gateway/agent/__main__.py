"""`python -m gateway.agent`: runs the agent of the node that the environment describes, until SIGTERM."""

import asyncio
import logging
import os
import signal
import sys

from gateway.agent.agent import Agent, Busy
from gateway.agent.spool import Damaged
from gateway.settings import NodeSettings, SettingError

DEFAULT_USAGE_LOG_BYTES = 64 * 2**20


def usage_log_bytes() -> int:
    """Return at what size the usage log is rotated: GATEHOUSE_USAGE_LOG_BYTES, 64 MiB if it is not set."""
    text = os.environ.get("GATEHOUSE_USAGE_LOG_BYTES") or str(DEFAULT_USAGE_LOG_BYTES)
    if not text.isascii() or not text.isdigit() or int(text) < 1_000:
        raise SettingError(f"GATEHOUSE_USAGE_LOG_BYTES must be a number of at least 1000, not {text!r}")
    return int(text)


async def work(settings: NodeSettings, rotate_at: int) -> None:
    """Run the agent until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await Agent(settings, usage_log_bytes=rotate_at).run(stop)


def main() -> int:
    """Return 0 after a clean stop, 2 for settings that cannot be used, 1 for a folder that cannot."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    log = logging.getLogger("agent")
    try:
        settings = NodeSettings.from_environment()
        if not settings.token:
            raise SettingError(
                "GATEHOUSE_NODE_TOKEN is not set: the control plane shows it when a node is made"
            )
        rotate_at = usage_log_bytes()
    except SettingError as error:
        log.error("%s", error)
        return 2
    try:
        asyncio.run(work(settings, rotate_at))
    except (Busy, Damaged, OSError) as error:
        log.error("%s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
