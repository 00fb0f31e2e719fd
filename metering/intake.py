"""Where batches come in: checked, kept as they came, once each."""

from typing import Any


class BadBatch(ValueError):
    """A batch that can never be used; the message says why."""


def accept_batch(*, node_id: str, batch: dict[str, Any]) -> bool:
    """Keep a node's batch; False = it is already there. Raises BadBatch for one that can never be used."""
    raise NotImplementedError
