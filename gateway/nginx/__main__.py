"""`python -m gateway.nginx`: write nginx.conf from the environment, check it, become nginx."""

import os
import sys

from gateway.nginx.start import StartError, prepare
from gateway.settings import NodeSettings, SettingError


def main() -> None:
    """Replace this process by nginx; exit with one clear line when that cannot be."""
    try:
        command = prepare(NodeSettings.from_environment())
    except (SettingError, StartError) as error:
        sys.exit(f"gateway.nginx: {error}")
    os.execv(command[0], command)  # noqa: S606 -- no shell is wanted


if __name__ == "__main__":
    main()
