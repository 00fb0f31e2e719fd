"""Customers whom providers shut out, and mails to developers: to be read. Provider's pages and REST act."""

from django.contrib import admin

from access.announcements.models import Announcement
from access.models import CustomerSuspension
from accounts.read_only_admin import ReadOnly


@admin.register(CustomerSuspension)
class CustomerSuspensionAdmin(ReadOnly):
    list_display = ("customer", "organization", "reason", "suspended_at", "suspended_by", "lifted_at")
    list_filter = (("lifted_at", admin.EmptyFieldListFilter),)
    list_select_related = ("customer", "organization", "suspended_by")
    search_fields = ("customer__name", "organization__name", "reason")


@admin.register(Announcement)
class AnnouncementAdmin(ReadOnly):
    list_display = (
        "subject",
        "organization",
        "kind",
        "audience",
        "state",
        "created_by",
        "queued_at",
        "sent_at",
    )
    list_filter = ("state", "kind")
    list_select_related = ("organization", "created_by")
    search_fields = ("subject", "organization__name")
