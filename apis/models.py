"""APIs, their versions (an OpenAPI document each), deployments, stages, addresses and backends."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.timezone import now

from accounts.fields import ShortIdField
from accounts.models import Organization, User
from apis.catalogue_models import ApiInvitation, ApiPage, Visibility
from apis.fields import DocumentField, WithoutDocument, apart
from apis.grant_models import ApiGrant
from apis.policy import MAX_TIMEOUT_MS, MIN_TIMEOUT_MS
from apis.products.models import Product, ProductInvitation, ProductOperation, ProductPage

__all__ = [
    "LIVE",
    "Api",
    "ApiGrant",
    "ApiInvitation",
    "ApiPage",
    "ApiVersion",
    "Backend",
    "BasePathMapping",
    "Deployment",
    "DomainName",
    "Operation",
    "Product",
    "ProductInvitation",
    "ProductOperation",
    "ProductPage",
    "Stage",
    "VersionState",
    "Visibility",
]

LIVE = "live"


class Api(models.Model):
    """A product: a name in the catalogue under which versions are published."""

    id = ShortIdField()
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="apis")
    name = models.CharField(max_length=120)
    slug = models.SlugField(
        max_length=60, unique=True, help_text="First part of the default address /{api}/{version}/."
    )
    summary = models.CharField(max_length=200, blank=True)
    description = models.TextField(blank=True, help_text="Markdown.")
    category = models.CharField(
        max_length=60, blank=True, help_text="One shelf of the catalogue, such as Payments."
    )
    tags = ArrayField(
        models.CharField(max_length=40),
        default=list,
        blank=True,
        help_text="Words to filter by, separated by commas.",
    )
    visibility = models.CharField(max_length=10, choices=Visibility, default=Visibility.PUBLIC)
    region = models.CharField(
        max_length=40,
        blank=True,
        help_text="Such as eu-west-1: price tiers add up usage within a region. Empty = none.",
    )
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ["name"]
        verbose_name = "API"
        verbose_name_plural = "APIs"

    def __str__(self) -> str:
        return self.name


class Backend(models.Model):
    """The provider's server behind an API version."""

    id = ShortIdField()
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="backends")
    name = models.CharField(max_length=80)
    url = models.CharField(
        max_length=500, help_text="http(s)://host[:port][/path]; operations' paths follow it."
    )
    # the upper bound is a setting of the installation, which the verb checks
    connect_timeout_ms = models.PositiveIntegerField(
        default=5_000, validators=[MinValueValidator(MIN_TIMEOUT_MS)]
    )
    timeout_ms = models.PositiveIntegerField(
        default=MAX_TIMEOUT_MS,
        validators=[MinValueValidator(MIN_TIMEOUT_MS)],
        help_text="Longest wait for the answer, in milliseconds.",
    )
    weight = models.PositiveIntegerField(
        default=1, help_text="Share of the calls that this server gets, beside further servers: 1 to 1000."
    )
    targets = models.JSONField(
        default=list, blank=True, help_text="Further servers: [{url, weight}], of the same scheme and path."
    )
    health = models.JSONField(
        null=True,
        blank=True,
        help_text="{failures, rest_ms}: after so many failures in a row an address rests.",
    )
    retries = models.JSONField(
        null=True,
        blank=True,
        help_text="{attempts, on}: what operations without retries of their own do.",
    )
    client_certificate = models.TextField(
        blank=True, help_text="PEM: how nodes show themselves to the server; empty = they do not."
    )
    sealed_client_key = models.TextField(blank=True, editable=False, help_text="Its key, encrypted.")
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="backend_name_once")]

    def __str__(self) -> str:
        return f"{self.name} ({self.url})"


class VersionState(models.TextChoices):
    DRAFT = "draft", "Draft"
    PUBLISHED = "published", "Published"
    DEPRECATED = "deprecated", "Deprecated"
    RETIRED = "retired", "Retired"


class ApiVersion(models.Model):
    """One version of an API: its OpenAPI document, which is the only truth about its operations.

    What AWS calls a RestApi. The rows of `Operation` are a projection of the document that keeps ids stable.
    The document is not loaded with the row, but when it is read.
    """

    id = ShortIdField()
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="api_versions")
    api = models.ForeignKey(Api, on_delete=models.PROTECT, related_name="versions")
    name = models.SlugField(max_length=40, help_text="Such as v1: second part of the address.")
    state = models.CharField(max_length=10, choices=VersionState, default=VersionState.DRAFT)
    document = DocumentField(help_text="OpenAPI 3.0, 3.1 or Swagger 2.0, as imported.")
    findings = models.JSONField(default=list, help_text="[{level, pointer, message}] of the last import.")
    backend = models.ForeignKey(
        Backend,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="api_versions",
        help_text="Where operations without an integration of their own go.",
    )
    key_required = models.BooleanField(
        default=True,
        help_text="Whether operations need an API key where the document does not say.",
    )
    disable_execute_api_endpoint = models.BooleanField(
        default=False,
        help_text="Answer at base path mappings only, not at the canonical address {id}.execute-api.…",
    )
    deprecated_at = models.DateTimeField(null=True, blank=True)
    sunset_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects = WithoutDocument["ApiVersion"]()

    class Meta:
        base_manager_name = "objects"
        ordering = ["api__name", "-created_at"]
        verbose_name = "API version"
        constraints = [models.UniqueConstraint(fields=["api", "name"], name="version_name_once")]

    def __str__(self) -> str:
        return f"{self.api.name} {self.name}"


class Operation(models.Model):
    """Method + path of a version's document, with an id that survives re-imports."""

    id = ShortIdField()
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="operations")
    version = models.ForeignKey(ApiVersion, on_delete=models.CASCADE, related_name="operations")
    method = models.CharField(max_length=10, help_text="GET, POST, … or ANY.")
    path = models.CharField(max_length=2000)
    operation_id = models.CharField(max_length=250, blank=True)
    summary = models.CharField(max_length=500, blank=True)
    tag = models.CharField(max_length=200, blank=True)
    key_required = models.BooleanField()
    integration_type = models.CharField(max_length=20, help_text="http_proxy, http, mock, …")
    unserved_reason = models.CharField(
        max_length=300, blank=True, help_text="Why a call is answered 500; empty = it is served."
    )
    position = models.PositiveIntegerField(default=0, help_text="Order in the document.")
    removed_at = models.DateTimeField(
        null=True, blank=True, help_text="Gone from the document; kept because usage names it."
    )

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["version", "method", "path"], name="operation_once")]
        indexes = [
            GinIndex(
                SearchVector(apart("path"), apart("operation_id"), "summary", "tag", config="english"),
                name="operation_words",
            )
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @staticmethod
    def words() -> SearchVector:
        """What the index `operation_words` holds: a query must ask with the very same expression."""
        return SearchVector(apart("path"), apart("operation_id"), "summary", "tag", config="english")


class Deployment(models.Model):
    """An immutable compiled copy of a version: what a stage can point to."""

    id = ShortIdField()
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="deployments")
    version = models.ForeignKey(ApiVersion, on_delete=models.PROTECT, related_name="deployments")
    number = models.PositiveIntegerField()
    document = DocumentField(default=dict, help_text="The version's document at that moment.")
    compiled = models.JSONField(help_text="See apis/compile.py for its shape.")
    note = models.CharField(max_length=200, blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="deployments")
    created_at = models.DateTimeField(default=now, editable=False)

    objects = WithoutDocument["Deployment"]()

    class Meta:
        base_manager_name = "objects"
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["version", "number"], name="deployment_number_once")]

    def __str__(self) -> str:
        return f"{self.version} #{self.number}"


class RequestLogging(models.TextChoices):
    """Which calls may be in the request log; of a stage's and a plan's the narrower one holds."""

    ALL = "all", "All calls, as far as the nodes' budget goes"
    SAMPLE = "sample", "One answered call in ten; refused and failed ones all"
    ERRORS = "errors", "Only refused and failed calls"
    OFF = "off", "None"


class Stage(models.Model):
    """A named, movable pointer to a deployment, with settings of its own that apply at once."""

    id = ShortIdField()
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="stages")
    version = models.ForeignKey(ApiVersion, on_delete=models.PROTECT, related_name="stages")
    name = models.SlugField(max_length=128, default=LIVE)
    deployment = models.ForeignKey(
        Deployment, null=True, blank=True, on_delete=models.PROTECT, related_name="stages"
    )
    variables = models.JSONField(default=dict, blank=True, help_text="Stage variables: name -> text.")
    throttle_rate = models.FloatField(
        null=True, blank=True, help_text="Calls a second over all callers; empty = no limit, 0 = block."
    )
    throttle_burst = models.PositiveIntegerField(null=True, blank=True)
    policy = models.JSONField(
        default=dict, blank=True, help_text="What holds for every operation that says nothing else."
    )
    operation_policies = models.JSONField(
        default=dict, blank=True, help_text="{operation id: policy}, field by field before the stage's."
    )
    access_log = models.TextField(
        blank=True, help_text="One line with $context variables; empty = no access log."
    )
    compress_from = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="Bytes from which answers are compressed; empty = as the document says.",
    )
    request_log = models.CharField(
        max_length=6,
        choices=RequestLogging,
        default=RequestLogging.ALL,
        help_text="Which calls may be in the request log.",
    )
    cache_epoch = models.PositiveBigIntegerField(
        default=0, editable=False, help_text="Grows when the cache is flushed: older answers do not count."
    )
    canary_deployment = models.ForeignKey(
        Deployment, null=True, blank=True, on_delete=models.PROTECT, related_name="canary_stages"
    )
    canary_percent = models.FloatField(default=0, help_text="Share of the calls, 0 to 100.")
    canary_variables = models.JSONField(
        default=dict, blank=True, help_text="Stage variables that the canary has instead, or besides."
    )
    canary_use_cache = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["version", "name"]
        constraints = [
            models.UniqueConstraint(fields=["version", "name"], name="stage_name_once"),
            models.CheckConstraint(
                condition=models.Q(throttle_rate__isnull=True, throttle_burst__isnull=True)
                | models.Q(throttle_rate__gte=0, throttle_burst__isnull=False),
                name="stage_throttle_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version} · {self.name}"


class BasePathMapping(models.Model):
    """Host + base path at which a stage answers. An empty host = any host that no mapping claims."""

    id = ShortIdField()
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="base_path_mappings"
    )
    stage = models.ForeignKey(Stage, on_delete=models.CASCADE, related_name="mappings")
    host = models.CharField(max_length=253, blank=True, help_text="api.example.com; empty = any.")
    base_path = models.CharField(
        max_length=200, blank=True, help_text="Without slashes at its ends; empty = the root."
    )

    class Meta:
        ordering = ["host", "base_path"]
        constraints = [models.UniqueConstraint(fields=["host", "base_path"], name="base_path_once")]

    def __str__(self) -> str:
        return f"{self.host or '*'}/{self.base_path}"


class DomainName(models.Model):
    """A host with a certificate of its own. An exact host comes before the wildcard above it."""

    id = ShortIdField()
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="domains")
    host = models.CharField(max_length=253, unique=True, help_text="api.example.com or *.example.com.")
    certificate = models.TextField(help_text="PEM: the host's own first, then its signer, and so on up.")
    sealed_key = models.TextField(editable=False, help_text="The private key, encrypted.")
    client_ca = models.TextField(
        blank=True,
        help_text="PEM: authorities whose client certificates are taken; empty = clients need none.",
    )
    expires_at = models.DateTimeField(editable=False)
    fingerprint = models.CharField(max_length=64, editable=False, help_text="SHA-256 of the certificate.")
    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["host"]

    def __str__(self) -> str:
        return self.host
