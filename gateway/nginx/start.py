"""Starts nginx in the foreground, after its new configuration has passed `nginx -t`."""

import contextlib
import os
import re
import resource
import subprocess
from pathlib import Path

from gateway.journal import Journal, NotAJournalError
from gateway.nginx.render import render
from gateway.request_log import RequestLog
from gateway.settings import NodeSettings

MODULE_FOLDERS = ("/usr/lib/nginx/modules", "/usr/lib64/nginx/modules", "/usr/local/nginx/modules")
MODULES = ("ndk_http_module.so", "ngx_http_lua_module.so")
WORKER_USER = "nobody"
OPEN_FILES = 20_000  # a worker's 8192 connections, what it maps and its logs


class StartError(RuntimeError):
    """nginx cannot start; the text says what to do."""


def prepare(settings: NodeSettings) -> list[str]:
    """Make the node's folders and nginx.conf; returns the command that runs nginx in the foreground."""
    logs = settings.access_log_folder
    for folder in (settings.folder, settings.error_log.parent, settings.temporary, logs):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _close_to_others(settings.folder)
    try:
        Journal(settings.folder).prepare(settings.journal_size)
    except (OSError, NotAJournalError) as error:
        raise StartError(f"the usage log cannot be made: {error}") from error
    if settings.request_log_rate:
        with contextlib.suppress(
            OSError
        ):  # no call waits for the request log; the workers say that there is none
            RequestLog(settings.request_log).prepare(settings.request_log_size)
    text = render(settings, modules=lua_modules(settings.nginx), user=_worker_user(settings))
    settings.control_socket.unlink(missing_ok=True)
    fresh = settings.configuration.with_suffix(".conf.new")
    fresh.write_text(text)
    check = subprocess.run([*_command(settings, fresh), "-t"], capture_output=True, text=True, check=False)
    if check.returncode:
        raise StartError(f"nginx refuses its configuration {fresh}:\n{check.stderr.strip()}")
    fresh.replace(settings.configuration)
    return _command(settings, settings.configuration)


def lua_modules(nginx: str) -> list[Path]:
    """Return the module files to load; none for an nginx that has Lua built in (OpenResty)."""
    try:
        built = subprocess.run([nginx, "-V"], capture_output=True, text=True, check=True).stderr
    except (OSError, subprocess.CalledProcessError) as error:
        raise StartError(f"{nginx} cannot be run ({error}); install nginx or set GATEHOUSE_NGINX") from error
    if "lua-nginx-module" in built or "ngx_lua" in built:
        return []
    named = re.search(r"--modules-path=(\S+)", built)
    for folder in ([named[1]] if named else []) + list(MODULE_FOLDERS):
        found = [Path(folder) / name for name in MODULES]
        if all(path.exists() for path in found):
            return found
    raise StartError(
        "nginx has no Lua module; on Debian and Ubuntu: apt install libnginx-mod-http-lua lua-cjson"
    )


def allow_open_files(wanted: int = OPEN_FILES) -> None:
    """Raise this process's limit of open files as far as it may go: nginx inherits it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    endless = resource.RLIM_INFINITY
    if soft == endless or soft >= wanted:
        return
    least_hard = (
        hard if hard == endless else max(hard, wanted)
    )  # root may raise it, unless a container forbids it
    for reachable in ((wanted, least_hard), (hard, hard)):
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, reachable)
            return


def _close_to_others(folder: Path) -> None:
    """nginx makes its control socket for everybody: whoever reaches it may change what the gate admits."""
    if folder.stat().st_mode & 0o077:
        try:
            folder.chmod(0o700)
        except OSError as error:
            raise StartError(
                f"{folder} is open to other users and cannot be closed ({error}); run: chmod 700 {folder}"
            ) from error


def _command(settings: NodeSettings, configuration: Path) -> list[str]:
    return [
        settings.nginx,
        "-e",
        str(settings.error_log),
        "-p",
        str(settings.folder),
        "-c",
        str(configuration),
    ]


def _worker_user(settings: NodeSettings) -> str:
    """As root, workers run as nobody, and must be able to reach the agent's socket in the node's folder."""
    if os.geteuid() != 0:
        return ""
    import grp  # noqa: PLC0415 -- only needed by root
    import pwd  # noqa: PLC0415 -- only needed by root

    account = pwd.getpwnam(WORKER_USER)
    os.chown(settings.folder, account.pw_uid, account.pw_gid)
    os.chown(settings.access_log_folder, account.pw_uid, account.pw_gid)
    os.chown(settings.temporary, account.pw_uid, account.pw_gid)
    Journal(settings.folder).give_to(account.pw_uid, account.pw_gid)
    if settings.request_log.exists():
        os.chown(settings.request_log, account.pw_uid, account.pw_gid)
    return f"{WORKER_USER} {grp.getgrgid(account.pw_gid).gr_name}"
