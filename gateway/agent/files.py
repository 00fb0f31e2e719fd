"""Writing files so that a kill or a power cut leaves either the old or the new content."""

import os
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Make renames and deletions in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def own(path: str, flags: int) -> int:
    """Open a file that nobody else may read; for `open(opener=...)`."""
    descriptor = os.open(path, flags, 0o600)
    os.fchmod(descriptor, 0o600)  # it may be there from an older version
    return descriptor


def write_atomically(path: Path, data: bytes) -> None:
    """Replace `path` by `data`, durably. OSError (disk full) leaves the old content and no rest behind.

    Only the agent's own user may read it: entries hold the private keys of domains.
    """
    temporary = path.with_name(path.name + ".tmp")
    try:
        with open(temporary, "wb", opener=own) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)
