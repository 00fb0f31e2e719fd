"""Portal products, their pages, and pages of APIs."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models import Organization
from apis.models import Api, ApiPage, ApiVersion, Product, ProductOperation, ProductPage
from rest.serializers.apis import OWNER_HELP
from rest.serializers.base import Strict, StrictModel, Visible

WORDS = ("title", "slug", "summary", "text", "visibility", "published")
PAGE = ("title", "slug", "text", "position", "published")
_made = {"required": False, "help_text": "Default: made from the title."}


class _Words(StrictModel):
    # whether it is taken is the verb's own question
    slug = serializers.SlugField(max_length=60, **_made)  # type: ignore[arg-type]


class ChosenOperationSerializer(serializers.ModelSerializer):
    """An operation of a product. An empty section takes the operation's tag."""

    version = serializers.CharField(source="operation.version_id", read_only=True)
    method = serializers.CharField(source="operation.method", read_only=True)
    path = serializers.CharField(source="operation.path", read_only=True)

    class Meta:
        model = ProductOperation
        fields: tuple[str, ...] = ("operation", "version", "method", "path", "section")
        read_only_fields: tuple[str, ...] = fields


class ProductSerializer(serializers.ModelSerializer):
    """Chosen operations of several APIs, told as one thing."""

    operations = serializers.SerializerMethodField(help_text="In their order.")

    class Meta:
        model = Product
        fields: tuple[str, ...] = ("id", "organization", *WORDS, "operations", "created_at", "updated_at")
        read_only_fields: tuple[str, ...] = fields

    @extend_schema_field(ChosenOperationSerializer(many=True))
    def get_operations(self, product: Product) -> object:
        return ChosenOperationSerializer(product.chosen.all(), many=True).data


class ProductInput(_Words):
    organization = Visible(Organization, required=False, help_text=OWNER_HELP)

    class Meta:
        model = Product
        fields: tuple[str, ...] = ("organization", *WORDS)


class ProductChange(_Words):
    class Meta:
        model = Product
        fields: tuple[str, ...] = WORDS


class ChooseInput(Strict):
    version = Visible(ApiVersion, help_text="The version whose operations are chosen.")
    operations = serializers.ListField(
        child=serializers.CharField(max_length=10),
        max_length=200,
        help_text="Ids: the product shows these operations of the version, and no others of it.",
    )


class PlaceInput(Strict):
    operation = serializers.CharField(max_length=10)
    section = serializers.CharField(max_length=80, required=False, allow_blank=True)


class ArrangeInput(Strict):
    operations = PlaceInput(
        many=True, help_text="The chosen operations in their order; those left out keep theirs behind them."
    )


class ApiPageSerializer(serializers.ModelSerializer):
    """A page about an API, such as a guide."""

    class Meta:
        model = ApiPage
        fields: tuple[str, ...] = ("id", "organization", "api", *PAGE, "updated_at")
        read_only_fields: tuple[str, ...] = fields


class ApiPageInput(StrictModel):
    api = Visible(Api)

    class Meta:
        model = ApiPage
        fields: tuple[str, ...] = ("api", *PAGE)
        extra_kwargs = {"slug": _made}


class ApiPageChange(StrictModel):
    class Meta:
        model = ApiPage
        fields: tuple[str, ...] = PAGE


class ProductPageSerializer(serializers.ModelSerializer):
    """A page about a product."""

    class Meta:
        model = ProductPage
        fields: tuple[str, ...] = ("id", "organization", "product", *PAGE, "updated_at")
        read_only_fields: tuple[str, ...] = fields


class ProductPageInput(StrictModel):
    product = Visible(Product)

    class Meta:
        model = ProductPage
        fields: tuple[str, ...] = ("product", *PAGE)
        extra_kwargs = {"slug": _made}


class ProductPageChange(StrictModel):
    class Meta:
        model = ProductPage
        fields: tuple[str, ...] = PAGE
