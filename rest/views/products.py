"""`products`, `product-pages`, `api-pages`, and invitations to products and APIs."""

from typing import Any, ClassVar

from django.db.models import Prefetch, QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from apis import invitations, pages
from apis.models import ApiInvitation, ApiPage, Product, ProductInvitation, ProductOperation, ProductPage
from apis.products import change, choose
from rest.filtersets import (
    ApiInvitationFilters,
    ApiPageFilters,
    ProductFilters,
    ProductInvitationFilters,
    ProductPageFilters,
)
from rest.serializers.invitations import (
    ApiInvitationInput,
    ApiInvitationSerializer,
    ProductInvitationInput,
    ProductInvitationSerializer,
)
from rest.serializers.products import (
    ApiPageChange,
    ApiPageInput,
    ApiPageSerializer,
    ArrangeInput,
    ChooseInput,
    ProductChange,
    ProductInput,
    ProductPageChange,
    ProductPageInput,
    ProductPageSerializer,
    ProductSerializer,
)
from rest.views.base import Changeable, Creatable, Listed, Made, Readable, Removable, Resource, act


class ProductViews(Listed, Readable, Creatable, Changeable, Removable, Resource):
    """Portal products: chosen operations of several APIs, with pages, an order and a reference of their own."""

    model, noun, nouns, tag = Product, "product", "products", "products"
    serializer_class = ProductSerializer
    create_input, change_input = ProductInput, ProductChange
    action_inputs: ClassVar = {"choose_operations": ChooseInput, "arrange": ArrangeInput}
    filterset_class = ProductFilters
    ordering_fields = ("title", "slug", "created_at", "updated_at")
    search_fields = ("title", "slug", "summary")

    def get_queryset(self) -> QuerySet[Any]:
        chosen = ProductOperation.objects.select_related("operation").order_by("position")
        return super().get_queryset().prefetch_related(Prefetch("chosen", chosen))

    def make(self, data: dict[str, Any]) -> Made:
        organization = data.pop("organization", self.caller.organization)
        return change.create_product(organization=organization, actor=self.caller.user, **data)

    def change(self, row: Product, data: dict[str, Any]) -> None:
        change.change_product(product=row, actor=self.caller.user, **data)

    def remove(self, row: Product) -> None:
        change.delete_product(product=row, actor=self.caller.user)

    @act()
    def choose_operations(self, request: Request, pk: str) -> Response:
        """Let the product show these operations of a version, and no others of it. Those of other versions stay."""
        product, data = self.target()
        return self.answer(choose.choose_operations(product=product, actor=self.caller.user, **data))

    @act()
    def arrange(self, request: Request, pk: str) -> Response:
        """Put the operations in an order, and under sections of the reference."""
        product, data = self.target()
        places = data["operations"]
        return self.answer(
            choose.arrange_operations(
                product=product,
                order=[each["operation"] for each in places],
                sections={each["operation"]: each["section"] for each in places if "section" in each},
                actor=self.caller.user,
            )
        )


class _Pages(Listed, Readable, Creatable, Changeable, Removable, Resource):
    """What pages have in common."""

    ordering_fields = ("position", "title", "updated_at")
    search_fields = ("title", "slug")

    def change(self, row: pages.Page, data: dict[str, Any]) -> None:
        pages.change_page(page=row, actor=self.caller.user, **data)

    def remove(self, row: pages.Page) -> None:
        pages.delete_page(page=row, actor=self.caller.user)


class ApiPageViews(_Pages):
    """Pages about APIs, in Markdown, beside the API's overview."""

    model, noun, nouns, tag = ApiPage, "API page", "API pages", "apis"
    serializer_class = ApiPageSerializer
    create_input, change_input = ApiPageInput, ApiPageChange
    filterset_class = ApiPageFilters

    def make(self, data: dict[str, Any]) -> Made:
        return pages.create_page(actor=self.caller.user, **data)


class ProductPageViews(_Pages):
    """Pages about products, in Markdown."""

    model, noun, nouns, tag = ProductPage, "product page", "product pages", "products"
    serializer_class = ProductPageSerializer
    create_input, change_input = ProductPageInput, ProductPageChange
    filterset_class = ProductPageFilters

    def make(self, data: dict[str, Any]) -> Made:
        return pages.create_product_page(actor=self.caller.user, **data)


class _Invitations(Listed, Readable, Creatable, Removable, Resource):
    """What invitations have in common."""

    ordering_fields = ("created_at",)
    search_fields = ("email",)

    def remove(self, row: invitations.Invitation) -> None:
        invitations.withdraw_invitation(invitation=row, actor=self.caller.user)


class ApiInvitationViews(_Invitations):
    """Who may see an API whose visibility is `invited`. Each is told by mail."""

    model, noun, nouns, tag = ApiInvitation, "API invitation", "API invitations", "apis"
    serializer_class = ApiInvitationSerializer
    create_input = ApiInvitationInput
    filterset_class = ApiInvitationFilters

    def make(self, data: dict[str, Any]) -> Made:
        return invitations.invite(actor=self.caller.user, **data)


class ProductInvitationViews(_Invitations):
    """Who may see a product whose visibility is `invited`. Each is told by mail."""

    model, noun, nouns, tag = ProductInvitation, "product invitation", "product invitations", "products"
    serializer_class = ProductInvitationSerializer
    create_input = ProductInvitationInput
    filterset_class = ProductInvitationFilters

    def make(self, data: dict[str, Any]) -> Made:
        return invitations.invite_to_product(actor=self.caller.user, **data)
