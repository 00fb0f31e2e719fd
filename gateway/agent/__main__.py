"""`python -m gateway.agent`: runs the agent of the node that the environment describes, until SIGTERM."""

import asyncio
import logging
import signal
import sys

from gateway.agent.agent import Agent, Busy
from gateway.agent.spool import Damaged
from gateway.settings import NodeSettings, SettingError


async def work(settings: NodeSettings) -> None:
    """Run the agent until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await Agent(settings).run(stop)


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
    except SettingError as error:
        log.error("%s", error)
        return 2
    try:
        asyncio.run(work(settings))
    except (Busy, Damaged, OSError) as error:
        log.error("%s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
