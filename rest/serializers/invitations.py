"""Who is invited to APIs and products."""

from typing import Any

from rest_framework import serializers

from accounts.models import Organization
from apis.models import Api, ApiInvitation, Product, ProductInvitation
from rest.serializers.base import Strict, Visible

WHO = ("email", "invited", "created_at")


class ApiInvitationSerializer(serializers.ModelSerializer):
    """A person by her address, or an organization, that may see an API for the invited."""

    class Meta:
        model = ApiInvitation
        fields: tuple[str, ...] = ("id", "organization", "api", *WHO)
        read_only_fields: tuple[str, ...] = fields


class ProductInvitationSerializer(serializers.ModelSerializer):
    """The same for a product."""

    class Meta:
        model = ProductInvitation
        fields: tuple[str, ...] = ("id", "organization", "product", *WHO)
        read_only_fields: tuple[str, ...] = fields


class Invited(Strict):
    """An address or an organization: one of them."""

    email = serializers.EmailField(required=False, help_text="She need not have an account yet.")
    invited = serializers.CharField(
        max_length=10, required=False, help_text="Id of an organization; its people find it on their page."
    )

    def validate_invited(self, value: str) -> Any:
        # any organization can be invited, so who knows its id learns here that it exists, and no more
        found = Organization.objects.filter(pk=value).first()
        if found is None:
            raise serializers.ValidationError("There is no organization with this id.", code="does_not_exist")
        return found


class ApiInvitationInput(Invited):
    api = Visible(Api)


class ProductInvitationInput(Invited):
    product = Visible(Product)
