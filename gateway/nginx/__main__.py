"""`python -m gateway.nginx`: write nginx.conf from the environment, check it, become nginx."""

import os
import sys

from gateway.nginx.start import StartError, allow_open_files, prepare
from gateway.settings import NodeSettings, SettingError


def main() -> None:
    """Replace this process by nginx; one clear line when that cannot be, and 2 for a setting, 1 for all else."""
    try:
        command = prepare(NodeSettings.from_environment())
    except (SettingError, StartError) as error:
        sys.stderr.write(f"gateway.nginx: {error}\n")
        sys.exit(2 if isinstance(error, SettingError) else 1)
    allow_open_files()
    os.execv(command[0], command)  # noqa: S606 -- no shell is wanted


if __name__ == "__main__":
    main()
