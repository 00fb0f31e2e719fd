"""Looking at what somebody may spend, as soon as a change of it is there."""

from functools import partial

from django.db import transaction


def look_after_commit(organization_id: str) -> None:
    """Look at an organization's budgets and credits when the transaction is over; the schedule does so later."""
    from billing.tasks import look_soon  # noqa: PLC0415 -- tasks import the verbs

    transaction.on_commit(partial(look_soon, organization_id))
