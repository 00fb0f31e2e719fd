"""What metering keeps, one file a topic."""

from metering.models.alerts import AlertMetric, AlertScope, UsageAlert, UsageAlertNotice
from metering.models.chain import UsageChain, UsageMark, UsageSeal
from metering.models.meters import Aggregation, BillableRule, CustomMeter, MeterEvent, MeterRecord
from metering.models.requests import RequestLine
from metering.models.usage import (
    UsageBatch,
    UsageDay,
    UsageGap,
    UsageHour,
    UsageMinute,
    UsageReconciliation,
    UsageRecord,
)

__all__ = [
    "Aggregation",
    "AlertMetric",
    "AlertScope",
    "BillableRule",
    "CustomMeter",
    "MeterEvent",
    "MeterRecord",
    "RequestLine",
    "UsageAlert",
    "UsageAlertNotice",
    "UsageBatch",
    "UsageChain",
    "UsageDay",
    "UsageGap",
    "UsageHour",
    "UsageMark",
    "UsageMinute",
    "UsageReconciliation",
    "UsageRecord",
    "UsageSeal",
]
