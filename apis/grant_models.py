"""Which APIs a member of a provider sees who is limited to chosen ones."""

from django.db import models
from django.utils.timezone import now

from accounts.fields import ShortIdField
from accounts.models import Member, Organization


class ApiGrant(models.Model):
    """One API that such a member sees. Without effect while her role is another one."""

    id = ShortIdField()
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="api_grants")
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="api_grants")
    api = models.ForeignKey("apis.Api", on_delete=models.CASCADE, related_name="grants")
    manage = models.BooleanField(
        default=False, help_text="Change it, too: its versions, stages and addresses."
    )
    money = models.BooleanField(default=False, help_text="See the prices of the plans that open it, too.")
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ["created_at"]
        constraints = [models.UniqueConstraint(fields=["member", "api"], name="api_grant_once")]

    def __str__(self) -> str:
        return f"{self.api} for {self.member.user}"
