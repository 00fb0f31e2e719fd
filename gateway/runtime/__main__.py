"""`python -m gateway.runtime`: runs the runtime of the node that the environment describes, until SIGTERM."""

import asyncio
import logging
import os
import signal
import sys
from contextlib import suppress

from aiohttp import web

from gateway import sockets
from gateway.runtime.desk import application
from gateway.runtime.functions import Functions
from gateway.settings import NodeSettings, SettingError

BACKLOG = 4096  # a unix socket whose queue is full refuses at once
LOOK_EVERY = 1.0  # seconds: nginx may give the folder to another user when it starts


async def work(settings: NodeSettings) -> None:
    """Serve the gate until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    functions = Functions(settings.lambda_endpoint, os.environ)
    runner = web.AppRunner(application(functions), access_log=None, shutdown_timeout=2)
    await runner.setup()
    path = settings.runtime_socket
    await web.UnixSite(runner, str(path), backlog=BACKLOG).start()
    path.chmod(0o600)
    try:
        while not stop.is_set():
            sockets.share(path)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_EVERY)
    finally:
        await runner.cleanup()
        await functions.close()


def main() -> int:
    """Return 0 after a clean stop, 2 for settings that cannot be used, 1 for a folder that cannot."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    try:
        asyncio.run(work(NodeSettings.from_environment()))
    except SettingError as error:
        logging.getLogger("runtime").error("%s", error)
        return 2
    except OSError as error:
        logging.getLogger("runtime").error("%s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
