"""Tells what the control plane has counted, and with `FAULTS_CLOSE` bills it: `manage.py shell` runs this file's text.

Prints one JSON object: `records` (table -> subscription -> [calls, bytes out] that are billable), `batches` (waiting,
calls, aggregated, rejected, and the sequence numbers that a spool lacks), and, when the provider's month was closed,
`billed`: customer -> [requests, GiB out] on the invoices.
"""

import json
import os
import sys
from collections import defaultdict

from django.db.models import Count, Max, Min, Sum
from django.utils.timezone import now

from accounts.models import Organization
from billing.invoices import close_period
from billing.models import InvoiceLine
from billing.periods import month_of
from metering.models import UsageBatch, UsageDay, UsageHour, UsageMinute
from metering.queries import BILLABLE_VERDICTS


def sums(table):
    rows = table.objects.filter(verdict__in=BILLABLE_VERDICTS).values("subscription_id")
    rows = rows.annotate(calls_=Sum("calls"), bytes_=Sum("bytes_out")).order_by()
    return {row["subscription_id"]: [int(row["calls_"]), int(row["bytes_"])] for row in rows}


def batches():
    rows = UsageBatch.objects.order_by()
    totals = rows.aggregate(calls=Sum("calls"), aggregated=Sum("aggregated"))
    spools = rows.values("node_id", "spool").annotate(
        n=Count("pk"), low=Min("sequence"), high=Max("sequence")
    )
    return {
        "waiting": rows.filter(processed_at__isnull=True).count(),
        "rejected": rows.exclude(rejected=[]).count(),
        "calls": totals["calls"] or 0,
        "aggregated": totals["aggregated"] or 0,
        "gaps": sum(each["high"] - each["n"] for each in spools) + sum(each["low"] - 1 for each in spools),
        "spools": len(spools),
    }


def lines_of(provider):
    lines = InvoiceLine.objects.filter(organization=provider, meter__in=["requests", "bytes_out"])
    return lines.exclude(invoice__state="void").select_related("invoice")


def billed(provider_id):
    provider = Organization.objects.get(pk=provider_id)
    running = month_of(now(), provider.timezone)
    for period in (running.previous(), running):
        close_period(
            provider=provider, period=period, at=min(now(), period.end), corrections=True, actor=None
        )
    found = defaultdict(lambda: {"requests": 0, "bytes_out": 0})
    for line in lines_of(provider):
        found[line.invoice.customer_id][line.meter] += line.quantity
    return {pk: [str(each["requests"]), str(each["bytes_out"])] for pk, each in found.items()}


told = {
    "records": {table.__name__: sums(table) for table in (UsageMinute, UsageHour, UsageDay)},
    "batches": batches(),
}
if os.environ.get("FAULTS_CLOSE"):
    told["billed"] = billed(os.environ["FAULTS_CLOSE"])
sys.stdout.write(json.dumps(told))
