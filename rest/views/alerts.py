"""`usage-alerts`."""

from typing import Any

from metering import alerts
from metering.models import UsageAlert
from rest.filtersets import UsageAlertFilters
from rest.permissions import Need
from rest.serializers.alerts import UsageAlertChange, UsageAlertInput, UsageAlertSerializer
from rest.views.base import Changeable, Creatable, Listed, Made, Readable, Removable, Resource


class UsageAlertViews(Listed, Readable, Creatable, Changeable, Removable, Resource):
    """Alerts on a provider's traffic: told once when a metric is beyond a threshold, and once when that is over."""

    model, noun, nouns, tag = UsageAlert, "usage alert", "usage alerts", "usage"
    serializer_class = UsageAlertSerializer
    create_input, change_input = UsageAlertInput, UsageAlertChange
    filterset_class = UsageAlertFilters
    ordering_fields = ("name",)
    search_fields = ("name",)
    write_need = Need.ADMINISTER

    def make(self, data: dict[str, Any]) -> Made:
        organization = data.pop("organization", self.caller.organization)
        return alerts.create_alert(organization=organization, actor=self.caller.user, **data)

    def change(self, row: UsageAlert, data: dict[str, Any]) -> None:
        alerts.change_alert(alert=row, actor=self.caller.user, **data)

    def remove(self, row: UsageAlert) -> None:
        alerts.delete_alert(alert=row, actor=self.caller.user)
