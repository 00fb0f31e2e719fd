"""Commands that must not run as root, and children that must not outlive their parent (setpriv)."""

import os
import pwd
import shutil
import signal
from pathlib import Path

SERVICE_USER = "nobody"


def service_command(command: list[str], *, paths: list[Path], stop: signal.Signals) -> list[str]:
    """Return `command` wrapped so that the kernel sends it `stop` when its parent dies, even by `kill -9`.

    As root it also drops to `nobody`. `paths` are what the command must reach: if a folder above one of them
    is closed to others (a checkout under /root), it keeps the one capability that passes closed folders.
    Start it from the main thread: the kernel watches the thread that made the child.
    """
    setpriv = shutil.which("setpriv")
    if not setpriv:
        raise RuntimeError("setpriv is missing; install the package util-linux")
    wrapped = [setpriv, f"--pdeathsig={stop.name.removeprefix('SIG')}"]
    if os.geteuid() == 0:
        account = pwd.getpwnam(SERVICE_USER)
        wrapped += [f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
        if any(closed_to_services(path) for path in paths):
            wrapped += ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    return [*wrapped, *command]


def give_to_service_user(path: Path, *, inside: bool = False) -> None:
    """As root, hand a file or folder (with `inside`, also what is in it) to the user that services run as."""
    if os.geteuid() != 0:
        return
    account = pwd.getpwnam(SERVICE_USER)
    for each in (path, *(path.rglob("*") if inside else ())):
        os.chown(each, account.pw_uid, account.pw_gid, follow_symlinks=False)


def closed_to_services(path: Path) -> bool:
    """Tell whether we are root and the services' user cannot pass all folders on the way to, or into, `path`."""
    if os.geteuid() != 0:
        return False
    real = path.resolve()
    folders = [*real.parents, *([real] if real.is_dir() else [])]
    return not all(folder.stat().st_mode & 0o001 for folder in folders if folder.exists())
