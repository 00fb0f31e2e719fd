"""Rate cards, and which plan is billed by which."""

from datetime import datetime
from decimal import Decimal

from django.db import models
from django.utils.functional import cached_property
from django.utils.timezone import now

from access.models import UsagePlan
from accounts.fields import ShortIdField
from accounts.models import Organization
from billing.models.versions import PriceManager, RateCardVersion


class TiersOver(models.TextChoices):
    CUSTOMER = "customer", "The whole customer: all its subscriptions, within a region"
    SUBSCRIPTION = "subscription", "Each subscription for itself"


class RateCard(models.Model):
    """A named price list in one currency. Its fees and prices stand in its versions."""

    id = ShortIdField()
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="rate_cards")
    name = models.CharField(max_length=80)
    currency = models.CharField(max_length=3, default="USD")
    tiers_over = models.CharField(
        max_length=12,
        choices=TiersOver,
        default=TiersOver.CUSTOMER,
        help_text="Whose use adds up before free units, tiers, minimum and maximum apply.",
    )
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="rate_card_name_once")]

    def __str__(self) -> str:
        return self.name

    def version_at(self, moment: datetime) -> RateCardVersion:
        """Return the version in force then. The first one also holds for all that was before it."""
        found = list(self.versions.all())
        return next((v for v in reversed(found) if v.effective_from <= moment), found[0])

    @cached_property
    def loaded_versions(self) -> list[RateCardVersion]:
        """Its versions, oldest first; read once for each loaded row."""
        return list(self.versions.all())

    @property
    def current(self) -> RateCardVersion:
        """The version in force now. Prefetch `versions__prices` where many cards are shown."""
        return self.version_at(now())

    @property
    def base_fee(self) -> Decimal:
        """Today's base fee."""
        return self.current.base_fee

    @property
    def prices(self) -> PriceManager:
        """Today's prices."""
        return self.current.prices


class PlanPrice(models.Model):
    """Which rate card a usage plan is billed by. A plan without one is free."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="plan_prices")
    plan = models.OneToOneField(UsagePlan, on_delete=models.CASCADE, related_name="price")
    rate_card = models.ForeignKey(RateCard, on_delete=models.PROTECT, related_name="plans")

    def __str__(self) -> str:
        return f"{self.plan} by {self.rate_card}"


class PlanPriceChange(models.Model):
    """A step in a plan's history of rate cards. None = it has always been billed as it is now.

    `at` is a whole minute: the first one that counts for the new card. An empty card = the plan was free.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="plan_price_changes"
    )
    plan = models.ForeignKey(UsagePlan, on_delete=models.CASCADE, related_name="price_changes")
    at = models.DateTimeField()
    old_card = models.ForeignKey(RateCard, null=True, on_delete=models.PROTECT, related_name="+")
    new_card = models.ForeignKey(RateCard, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["at"]
        constraints = [models.UniqueConstraint(fields=["plan", "at"], name="plan_price_change_once_a_minute")]

    def __str__(self) -> str:
        return (
            f"{self.plan}: {self.old_card or 'free'} to {self.new_card or 'free'} at {self.at:%Y-%m-%d %H:%M}"
        )
