"""From batches to records: minutes, hours and days, each batch exactly once."""


def process_pending(*, limit: int = 50) -> int:
    """Add the waiting batches to the records; returns how many batches were added up."""
    raise NotImplementedError
