"""Unix sockets in the node's folder, on which agent and runtime listen for nginx's workers."""

import os
from pathlib import Path


def share(socket: Path) -> None:
    """Let the owner of the socket's folder use it: started by root, nginx's workers run as that user."""
    owner = socket.parent.stat()
    if os.geteuid() == 0 and socket.exists() and socket.stat().st_uid != owner.st_uid:
        os.chown(socket, owner.st_uid, owner.st_gid)
