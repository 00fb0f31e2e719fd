"""What one customer pays differently."""

from django.db import models
from django.utils.functional import cached_property
from django.utils.timezone import now

from accounts.fields import ShortIdField
from accounts.models import Organization
from billing.models.rate_cards import RateCard
from billing.models.versions import UNITS, PricingModel
from billing.pricing import Tariff, make_tariff


class PriceOverride(models.Model):
    """A discount in percent, or a tariff in place of the card's, for one customer and rate card.

    `customer` is who pays: the parent of a billing group. One for a meter goes before one for all; of two,
    the later made. It holds from `starts_at` until `ends_at` (whole minutes), which may be extended or cut
    short, but never into the past.
    """

    id = ShortIdField()
    organization = models.ForeignKey(
        Organization,
        on_delete=models.PROTECT,
        related_name="price_overrides_given",
        help_text="The provider.",
    )
    customer = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="price_overrides")
    rate_card = models.ForeignKey(RateCard, on_delete=models.PROTECT, related_name="overrides")
    meter = models.CharField(
        max_length=40, blank=True, help_text="Empty = all meters and the base fee (a discount only)."
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True, help_text="Exclusive; empty = until it is ended.")
    percent = models.DecimalField(
        max_digits=6, decimal_places=3, null=True, blank=True, help_text="The discount, such as 12.5."
    )
    model = models.CharField(max_length=24, choices=PricingModel, blank=True)
    free_units = models.DecimalField(**UNITS, default=0)
    package_size = models.DecimalField(**UNITS, null=True, blank=True)
    tiers = models.JSONField(default=list, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ["starts_at", "created_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(percent__gt=0, percent__lte=100, model="")
                | (models.Q(percent__isnull=True) & ~models.Q(model="") & ~models.Q(meter="")),
                name="price_override_discount_or_tariff",
            ),
            models.CheckConstraint(
                condition=models.Q(ends_at__isnull=True) | models.Q(ends_at__gte=models.F("starts_at")),
                name="price_override_ends_after_it_starts",
            ),
        ]
        indexes = [
            # "what holds for these customers?"
            models.Index(fields=["organization", "customer"], name="price_override_customer"),
        ]

    def __str__(self) -> str:
        what = f"{self.percent.normalize():f} % off" if self.percent is not None else "own price of"
        return f"{self.customer}: {what} {self.meter or self.rate_card}"

    @cached_property
    def tariff(self) -> Tariff | None:
        """The tariff in place of the card's; None for a discount."""
        if not self.model:
            return None
        return make_tariff(self.model, self.tiers, self.free_units, package_size=self.package_size)
