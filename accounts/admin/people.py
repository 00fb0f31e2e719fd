"""People, and the groups of permissions of staff."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin, UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import action, display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from accounts.models import User
from accounts.people import change_person, create_person, note_new_password, verify_address
from accounts.second_factors import reset_second_factors
from accounts.verb_admin import VerbAdmin, person

# ours below take their place; addresses are seen and verified at their people
admin.site.unregister(Group)
admin.site.unregister(EmailAddress)
# what people keep to themselves, and change by their own page Security
for model in (Authenticator, SocialAccount, SocialApp, SocialToken, UserSession):
    admin.site.unregister(model)

RIGHTS = ("is_staff", "is_superuser", "groups", "user_permissions")


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):
    """Sets of Django's permissions for staff who are not superusers."""


class PersonAddForm(UserCreationForm):
    class Meta:
        model = User
        fields = ("email", "name")


@admin.register(User)
class UserAdmin(DjangoUserAdmin, VerbAdmin):  # type: ignore[misc]
    """People are never deleted (the trail names them): take away `active` instead."""

    form = UserChangeForm
    add_form = PersonAddForm
    change_password_form = AdminPasswordChangeForm
    list_display = (
        "email",
        "name",
        "shown_organizations",
        "shown_verified",
        "is_active",
        "is_staff",
        "last_login",
    )
    list_filter = ("is_active", "is_staff", "is_superuser", ("date_joined", RangeDateTimeFilter))
    list_filter_submit = True
    search_fields = ("email", "name", "memberships__organization__name")
    ordering = ("email",)
    actions = ("verify_addresses", "reset_second_factors")
    filter_horizontal = ("groups", "user_permissions")
    fieldsets = (
        (None, {"fields": ("email", "name", "password")}),
        ("Staff of the installation", {"fields": ("is_active", *RIGHTS)}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "name", "usable_password", "password1", "password2")}),)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        if obj is None:
            return ()
        own = () if request.user.is_superuser else RIGHTS
        return ("email", "last_login", "date_joined", *own)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Staff do not become superusers by giving one a new password."""
        if obj is not None and obj.is_superuser and not request.user.is_superuser:
            return False
        return super().has_change_permission(request, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        shown = ("memberships__organization", "emailaddress_set")
        return super().get_queryset(request).prefetch_related(*shown)

    @display(description="Organizations")
    def shown_organizations(self, user: User) -> str:
        return ", ".join(member.organization.name for member in user.memberships.all())

    @display(description="Verified", boolean=True)
    def shown_verified(self, user: Any) -> bool:
        return any(address.verified for address in user.emailaddress_set.all())

    def create(self, request: HttpRequest, data: dict[str, Any]) -> User:
        password = data["password1"] if data.get("set_usable_password", True) else None
        return create_person(email=data["email"], password=password, name=data["name"], actor=person(request))

    def change(self, request: HttpRequest, row: User, data: dict[str, Any]) -> None:
        change_person(user=row, actor=person(request), **data)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002 -- Django's name
        """Django's page writes by itself; the trail gets its line here."""
        response = super().user_change_password(request, id, form_url)
        if request.method == "POST" and response.status_code == 302:
            note_new_password(user=User.objects.get(pk=id), actor=person(request))
        return response

    @action(description="Take the e-mail address as verified", permissions=["change"])
    def verify_addresses(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self.each(
            request, queryset, lambda user: verify_address(user=user, actor=person(request)), "Verified"
        )

    @action(description="Take away lost passkeys and second factors", permissions=["change"])
    def reset_second_factors(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self.each(
            request,
            queryset,
            lambda user: reset_second_factors(user=user, actor=person(request)),
            "Taken away",
        )
