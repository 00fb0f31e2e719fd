"""What a rate card costs from a moment on: its versions and their prices. Prices keep 12 decimals."""

from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils.functional import cached_property

from accounts.models import Organization
from billing.pricing import Tariff, make_tariff

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager

    PriceManager = RelatedManager["Price"]
else:
    PriceManager = Any

MONEY: dict[str, Any] = {"max_digits": 24, "decimal_places": 12}
UNITS: dict[str, Any] = {"max_digits": 30, "decimal_places": 12}


class Meter(models.TextChoices):
    """What the gateway counts, and the unit a price is for. Providers have meters of their own besides."""

    REQUESTS = "requests", "Requests"
    HTTP_REQUESTS = "http_requests", "HTTP requests (started 512 KiB)"
    STREAM_REQUESTS = "stream_requests", "Streamed answers (started 10 MiB)"
    BYTES_OUT = "bytes_out", "Data out (GiB)"
    BYTES_IN = "bytes_in", "Data in (GiB)"
    CACHE_HOURS = "cache_hours", "Cache (hours)"


class PricingModel(models.TextChoices):
    GRADUATED = "graduated", "Graduated: each unit at the price of its tier"
    VOLUME = "volume", "Volume: all units at the price of the tier that the total reaches"
    PACKAGE = "package", "Package: a price for each started package"
    TIERED_PACKAGE = "tiered_package", "Tiered packages: counted inside each tier"
    TIERED_PACKAGE_TOTAL = "tiered_package_total", "Tiered packages: all at the tier of the total"
    PER_UNIT = "per_unit", "Per unit: every unit at one price"
    FLAT = "flat", "Flat: one price, however much is used"


class Proration(models.TextChoices):
    SECOND = "second", "By the second"
    DAY = "day", "By the day, in the provider's time zone"
    NONE = "none", "None: a started month is paid whole"


class RateCardVersion(models.Model):
    """A rate card's fees and prices from `effective_from` (a whole minute) until the next version's.

    One that is in force and that somebody is billed by never changes; the database trigger
    `rate_card_version_stays` holds that, too.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="rate_card_versions"
    )
    rate_card = models.ForeignKey("billing.RateCard", on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    effective_from = models.DateTimeField(help_text="The first minute that counts for it.")
    base_fee = models.DecimalField(**MONEY, default=0, help_text="For each subscription and month.")
    base_fee_in_advance = models.BooleanField(
        default=False, help_text="Bill the coming month's base fee, instead of the past one's."
    )
    minimum = models.DecimalField(
        **MONEY, null=True, blank=True, help_text="What a month costs at least, fees and use together."
    )
    maximum = models.DecimalField(
        **MONEY, null=True, blank=True, help_text="What a month costs at most, fees and use together."
    )
    trial_days = models.PositiveIntegerField(
        default=0, help_text="Days from a subscription's start that cost nothing."
    )
    proration = models.CharField(
        max_length=6,
        choices=Proration,
        default=Proration.SECOND,
        help_text="What a part of a month costs, when a subscription starts, changes its plan or ends.",
    )

    # what a version says besides its prices; a new version begins with those of the one before
    TERMS = ("base_fee", "base_fee_in_advance", "minimum", "maximum", "trial_days", "proration")

    class Meta:
        ordering = ["rate_card", "effective_from"]
        constraints = [
            models.UniqueConstraint(fields=["rate_card", "number"], name="rate_card_version_number_once"),
            models.UniqueConstraint(fields=["rate_card", "effective_from"], name="rate_card_version_once"),
            models.CheckConstraint(
                condition=models.Q(minimum__isnull=True)
                | models.Q(maximum__isnull=True)
                | models.Q(minimum__lte=models.F("maximum")),
                name="rate_card_version_minimum_below_maximum",
            ),
        ]

    def __str__(self) -> str:
        return f"version {self.number} of {self.rate_card}"

    @cached_property
    def price_of(self) -> dict[str, "Price"]:
        """Meter -> its price; read once for each loaded row."""
        return {price.meter: price for price in self.prices.all()}


class Price(models.Model):
    """The price of one meter in a version of a rate card."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="prices")
    version = models.ForeignKey(RateCardVersion, on_delete=models.CASCADE, related_name="prices")
    meter = models.CharField(max_length=40, help_text="A meter of the gateway, or one of the provider's own.")
    model = models.CharField(max_length=24, choices=PricingModel, default=PricingModel.GRADUATED)
    free_units = models.DecimalField(**UNITS, default=0, help_text="Free each month, before the tiers.")
    package_size = models.DecimalField(
        **UNITS, null=True, blank=True, help_text="Units of a package, for the models that count packages."
    )
    tiers = models.JSONField(
        help_text='[{"up_to": "333000000" or null, "unit_price": "0.0000035", "flat_fee": "0"}]; '
        "decimals as text; up_to is inclusive; the last is null."
    )

    class Meta:
        ordering = ["meter"]
        constraints = [models.UniqueConstraint(fields=["version", "meter"], name="price_once")]

    def __str__(self) -> str:
        return f"{self.version}: {self.meter}"

    @cached_property
    def tariff(self) -> Tariff:
        """Ready to calculate with; read once for each loaded row."""
        return make_tariff(self.model, self.tiers, self.free_units, package_size=self.package_size)
