"""Commands that must not run as root, and children that must not outlive their parent."""

import ctypes
import os
import pwd
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

SERVICE_USER = "nobody"
PR_SET_PDEATHSIG = 1


def service_command(command: list[str], *, paths: list[Path], stop: signal.Signals) -> list[str]:
    """Return `command` as it should be started, by whoever we are.

    As root it is wrapped in util-linux's `setpriv`, which drops to `nobody` and asks the kernel to send
    `stop` when the parent dies. `paths` are what the command must reach: if a folder above one of them is
    closed to others (a checkout under /root), it keeps the one capability that passes closed folders.
    As an ordinary user the command stays as it is; start it with `preexec_fn=die_with_parent(stop)`.
    """
    if os.geteuid() != 0:
        return command
    setpriv = shutil.which("setpriv")
    if not setpriv:
        raise RuntimeError("setpriv is missing; install the package util-linux")
    account = pwd.getpwnam(SERVICE_USER)
    drop = [
        setpriv,
        f"--reuid={account.pw_uid}",
        f"--regid={account.pw_gid}",
        "--clear-groups",
        f"--pdeathsig={stop.name.removeprefix('SIG')}",
    ]
    if not all(_open_to_others(path) for path in paths):
        drop += ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    return [*drop, *command]


def die_with_parent(stop: signal.Signals) -> Callable[[], None]:
    """Return a `preexec_fn` by which the kernel sends `stop` to the child when its parent dies (Linux)."""

    def ask_kernel() -> None:
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(stop))

    return ask_kernel


def give_to_service_user(path: Path) -> None:
    """As root, hand a data folder to the user that the services run as."""
    if os.geteuid() == 0:
        account = pwd.getpwnam(SERVICE_USER)
        os.chown(path, account.pw_uid, account.pw_gid)


def _open_to_others(path: Path) -> bool:
    return all(
        folder.stat().st_mode & 0o001 for folder in path.resolve().parents if folder.exists()
    )
