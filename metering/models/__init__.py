"""What metering keeps, one file a topic."""

from metering.models.meters import Aggregation, BillableRule, CustomMeter, MeterEvent, MeterRecord
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
    "BillableRule",
    "CustomMeter",
    "MeterEvent",
    "MeterRecord",
    "UsageBatch",
    "UsageDay",
    "UsageGap",
    "UsageHour",
    "UsageMinute",
    "UsageReconciliation",
    "UsageRecord",
]
