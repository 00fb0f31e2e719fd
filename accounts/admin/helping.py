"""Who looked at the site as whom: read only."""

from django.contrib import admin

from accounts.helping.models import HelpSession
from accounts.read_only_admin import ReadOnly


@admin.register(HelpSession)
class HelpSessionAdmin(ReadOnly):
    """Begun on a customer's page."""

    list_display = ("staff", "person", "organization", "reason", "acts", "began_at", "ended_at")
    list_select_related = ("staff", "person", "organization")
    search_fields = ("staff__email", "person__email", "organization__name", "reason")
    fields = ("staff", "person", "organization", "reason", "acts", "began_at", "ends_at", "ended_at")
