"""Rate cards, and which plan uses which. Prices keep 12 decimals."""

from django.db import models
from django.utils.functional import cached_property
from django.utils.timezone import now

from access.models import UsagePlan
from accounts.fields import ShortIdField
from accounts.models import Organization
from billing.pricing import Tariff, make_tariff


class Meter(models.TextChoices):
    """What is counted, and the unit a price is for."""

    REQUESTS = "requests", "Requests"
    BYTES_OUT = "bytes_out", "Data out (GiB)"


class PricingModel(models.TextChoices):
    GRADUATED = "graduated", "Graduated: each unit at the price of its tier"


class RateCard(models.Model):
    """Prices by meter."""

    id = ShortIdField()
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="rate_cards")
    name = models.CharField(max_length=80)
    currency = models.CharField(max_length=3, default="USD")
    base_fee = models.DecimalField(
        max_digits=24, decimal_places=12, default=0, help_text="For each subscription and month."
    )
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="rate_card_name_once")]

    def __str__(self) -> str:
        return self.name


class Price(models.Model):
    """The price of one meter on a rate card."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="prices")
    rate_card = models.ForeignKey(RateCard, on_delete=models.CASCADE, related_name="prices")
    meter = models.CharField(max_length=20, choices=Meter)
    model = models.CharField(max_length=12, choices=PricingModel, default=PricingModel.GRADUATED)
    free_units = models.DecimalField(
        max_digits=30, decimal_places=12, default=0, help_text="Free each period, before the tiers."
    )
    tiers = models.JSONField(
        help_text='[{"up_to": "333000000" or null, "unit_price": "0.0000035", "flat_fee": "0"}]; '
        "decimals as text; up_to is inclusive; the last is null."
    )

    class Meta:
        ordering = ["meter"]
        constraints = [models.UniqueConstraint(fields=["rate_card", "meter"], name="price_once")]

    def __str__(self) -> str:
        return f"{self.rate_card}: {self.get_meter_display()}"

    @cached_property
    def tariff(self) -> Tariff:
        """Ready to calculate with; read once for each loaded row."""
        return make_tariff(self.model, self.tiers, self.free_units)


class PlanPrice(models.Model):
    """Which rate card a usage plan is billed by. A plan without one is free."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="plan_prices")
    plan = models.OneToOneField(UsagePlan, on_delete=models.CASCADE, related_name="price")
    rate_card = models.ForeignKey(RateCard, on_delete=models.PROTECT, related_name="plans")

    def __str__(self) -> str:
        return f"{self.plan} by {self.rate_card}"
