"""`budgets`, `quota-alerts`."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing import budgets
from billing.models import Budget
from nodes.quota_alerts import rule_of, set_quota_alerts
from rest.filtersets import BudgetFilters
from rest.permissions import Need
from rest.serializers.budgets import BudgetChange, BudgetInput, BudgetSerializer, QuotaAlertsSerializer
from rest.views.base import Changeable, Creatable, Guarded, Listed, Made, Readable, Removable, Resource


class BudgetViews(Listed, Readable, Creatable, Changeable, Removable, Resource):
    """What a month may cost. With `stops` it is a spend cap: calls are refused once it is reached."""

    model, noun, nouns, tag = Budget, "budget", "budgets", "budgets"
    serializer_class = BudgetSerializer
    create_input, change_input = BudgetInput, BudgetChange
    filterset_class = BudgetFilters
    ordering_fields = ("name", "created_at")
    search_fields = ("name",)
    read_need = Need.BILLS
    write_need = Need.ADMINISTER

    def make(self, data: dict[str, Any]) -> Made:
        organization = data.pop("organization", self.caller.organization)
        return budgets.create_budget(organization=organization, actor=self.caller.user, **data)

    def change(self, row: Budget, data: dict[str, Any]) -> None:
        budgets.change_budget(budget=row, actor=self.caller.user, **data)

    def remove(self, row: Budget) -> None:
        budgets.delete_budget(budget=row, actor=self.caller.user)


class QuotaAlertsView(Guarded):
    """When the organization is told of its quotas."""

    tag = "budgets"
    http_method_names = ["get", "patch", "head"]
    write_need = Need.ADMINISTER

    @extend_schema(operation_id="quota_alerts_read", responses=QuotaAlertsSerializer)
    def get(self, request: Request) -> Response:
        """Read at which percents of its quotas the organization is told."""
        return Response(QuotaAlertsSerializer(rule_of(self.caller.organization)).data)

    @extend_schema(
        operation_id="quota_alerts_change", request=QuotaAlertsSerializer, responses=QuotaAlertsSerializer
    )
    def patch(self, request: Request) -> Response:
        """Choose at which percents of its quotas the organization is told, by mail and webhook."""
        organization = self.caller.organization
        now = rule_of(organization)
        reader = QuotaAlertsSerializer(data=request.data, partial=True, context={"request": request})
        reader.is_valid(raise_exception=True)
        wanted = {"percents": now.percents, "mails": now.mails} | reader.validated_data
        rule = set_quota_alerts(organization=organization, actor=self.caller.user, **wanted)
        return Response(QuotaAlertsSerializer(rule).data)
