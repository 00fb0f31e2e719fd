"""`billing-runs`: closings of months that go on in the background, to start and to watch."""

from functools import partial
from typing import Any

from django.db import transaction
from django.utils.timezone import now
from rest_framework.exceptions import PermissionDenied

from accounts.errors import Refused
from accounts.permissions import can_administer
from billing.models import BillingRun
from billing.periods import parse_month
from billing.runs import start_run
from billing.tasks import call_workers
from rest.filtersets import BillingRunFilters
from rest.permissions import Need
from rest.serializers.runs import BillingRunInput, BillingRunSerializer
from rest.views.base import Creatable, Listed, Made, Readable, Resource


class BillingRunViews(Listed, Readable, Creatable, Resource):
    """Closings of the provider's months, newest first: how far they are, and what they came to.

    POST starts one and answers at once; `invoices/close` does the same and answers when all invoices are made.
    """

    model, noun, nouns, tag = BillingRun, "billing run", "billing runs", "invoices"
    serializer_class = BillingRunSerializer
    create_input = BillingRunInput
    related = ("organization",)
    filterset_class = BillingRunFilters
    ordering_fields = ("started_at", "month_start")
    read_need = Need.BILLS
    write_need = Need.ADMINISTER

    def make(self, data: dict[str, Any]) -> Made:
        provider = data.get("organization", self.caller.organization)
        if not can_administer(self.caller.user, provider):
            raise PermissionDenied("For this one must be owner or admin.")
        period, at = parse_month(data["month"], provider.timezone), now()
        run = start_run(
            provider=provider, period=period, at=at, corrections=data["corrections"], actor=self.caller.user
        )
        if (run.month_start, run.until) != (period.start, at):
            raise Refused(
                f"{run.period.label} is being closed: billing run {run.pk}. Try again when it is done.",
                field="month",
                code="in_progress",
            )
        transaction.on_commit(partial(call_workers, run))
        return run
