"""Which APIs limited members see: to be read. Owners choose on their page, or by REST."""

from django.contrib import admin

from accounts.read_only_admin import ReadOnly
from apis.models import ApiGrant


@admin.register(ApiGrant)
class ApiGrantAdmin(ReadOnly):
    list_display = ("api", "who", "organization", "manage", "money", "created_at")
    list_filter = ("manage", "money")
    list_select_related = ("api", "organization", "member__user")
    search_fields = ("api__name", "organization__name", "member__user__email")

    @admin.display(description="Member")
    def who(self, grant: ApiGrant) -> str:
        return str(grant.member.user)
