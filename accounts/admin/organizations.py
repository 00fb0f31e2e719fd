"""Organizations and their members."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminEmailInputWidget

from accounts import organizations as verbs
from accounts.billing_group import join_billing, leave_billing
from accounts.errors import Refused
from accounts.models import Member, Organization, User
from accounts.verb_admin import VerbAdmin, person


class OrganizationAddForm(forms.ModelForm):
    """A new organization needs somebody who owns it."""

    owner = forms.ModelChoiceField(
        User.objects.filter(is_active=True),
        to_field_name="email",
        widget=UnfoldAdminEmailInputWidget,
        help_text="Her e-mail address; she needs an account.",
        error_messages={"invalid_choice": "Nobody here has this e-mail address."},
    )

    class Meta:
        model = Organization
        fields = ("name", "billing_email", "timezone")


class MemberInline(TabularInline):
    model = Member
    fields = ("user", "role")
    autocomplete_fields = ("user",)
    extra = 0
    tab = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Member]:
        return super().get_queryset(request).select_related("user", "organization")


@admin.register(Organization)
class OrganizationAdmin(VerbAdmin):
    list_display = ("name", "slug", "shown_state", "shown_members", "timezone", "billing_email", "created_at")
    list_filter = (("suspended_at", admin.EmptyFieldListFilter), ("created_at", RangeDateTimeFilter))
    list_filter_submit = True
    search_fields = ("name", "slug", "id", "billing_email", "members__user__email")
    actions = ("suspend", "resume")
    readonly_fields = ("id", "suspended_at", "closed_at", "asked_billing_parent", "created_at")
    autocomplete_fields = ("billing_parent",)

    def get_fields(self, request: HttpRequest, obj: Organization | None = None) -> tuple[str, ...]:
        if obj is None:
            return ("name", "owner", "billing_email", "timezone")
        shown = ("id", "suspended_at", "closed_at", "created_at")
        return ("name", "slug", "billing_email", "timezone", "billing_parent", "asked_billing_parent", *shown)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = OrganizationAddForm
        return super().get_form(request, obj, change, **kwargs)

    def get_inlines(self, request: HttpRequest, obj: Organization | None) -> list[type[TabularInline]]:
        return [MemberInline] if obj else []

    def get_queryset(self, request: HttpRequest) -> QuerySet[Organization]:
        return super().get_queryset(request).annotate(member_count=Count("members", distinct=True))

    @display(description="State", label={"Active": "success", "Suspended": "danger", "Closed": "danger"})
    def shown_state(self, organization: Organization) -> str:
        if organization.closed_at:
            return "Closed"
        return "Suspended" if organization.suspended_at else "Active"

    @display(description="Members", ordering="member_count")
    def shown_members(self, organization: Any) -> int:
        return organization.member_count

    def create(self, request: HttpRequest, data: dict[str, Any]) -> Organization:
        return verbs.create_organization(**data, actor=person(request))

    def change(self, request: HttpRequest, row: Organization, data: dict[str, Any]) -> None:
        actor = person(request)
        if "billing_parent" in data:
            self._change_payer(row, data.pop("billing_parent"), actor)
        if data:
            verbs.change_organization(organization=row, actor=actor, **data)

    def _change_payer(self, child: Organization, parent: Organization | None, actor: User) -> None:
        try:
            if child.billing_parent is not None:
                child = leave_billing(child=child, actor=actor)
            if parent is not None:
                join_billing(child=child, parent=parent, actor=actor)
        except Refused as refused:
            raise Refused(refused.message, field="billing_parent", code=refused.code) from refused

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """New members first and removals last, so that an owner can be exchanged in one go."""
        actor = person(request)
        formset.save(commit=False)
        for new in formset.new_objects:
            verbs.add_member(organization=form.instance, user=new.user, role=new.role, actor=actor)
        for changed, _ in formset.changed_objects:
            verbs.change_role(member=Member.objects.get(pk=changed.pk), role=changed.role, actor=actor)
        for member in formset.deleted_objects:
            verbs.remove_member(member=member, actor=actor)

    @action(description="Suspend: refuse all its keys and APIs", permissions=["change"])
    def suspend(self, request: HttpRequest, queryset: QuerySet[Organization]) -> None:
        actor = person(request)
        self.each(request, queryset, lambda row: verbs.suspend(organization=row, actor=actor), "Suspended")

    @action(description="Resume", permissions=["change"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Organization]) -> None:
        actor = person(request)
        self.each(request, queryset, lambda row: verbs.resume(organization=row, actor=actor), "Resumed")
