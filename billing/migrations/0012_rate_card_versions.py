"""Rate cards get versions. What a card says today becomes its first version, which holds for all the past."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import accounts.fields
import accounts.ids

MONEY = {"max_digits": 24, "decimal_places": 12}
UNITS = {"max_digits": 30, "decimal_places": 12}
CASCADE, PROTECT = django.db.models.deletion.CASCADE, django.db.models.deletion.PROTECT
MODELS = [
    ("graduated", "Graduated: each unit at the price of its tier"),
    ("volume", "Volume: all units at the price of the tier that the total reaches"),
    ("package", "Package: a price for each started package"),
    ("tiered_package", "Tiered packages: counted inside each tier"),
    ("tiered_package_total", "Tiered packages: all at the tier of the total"),
    ("per_unit", "Per unit: every unit at one price"),
    ("flat", "Flat: one price, however much is used"),
]

# Until now every subscription had tiers of its own, and a started month was paid whole: so it stays.
FIRST_VERSIONS = """
INSERT INTO billing_ratecardversion (
    organization_id, rate_card_id, number, effective_from,
    base_fee, base_fee_in_advance, trial_days, proration
)
SELECT organization_id, id, 1, date_trunc('minute', created_at), base_fee, false, 0, 'none'
FROM billing_ratecard;
UPDATE billing_price p SET version_id = v.id FROM billing_ratecardversion v WHERE v.rate_card_id = p.rate_card_id;
UPDATE billing_ratecard SET tiers_over = 'subscription';
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;
"""


def organization(name, delete=CASCADE, **options):
    return (
        "organization",
        models.ForeignKey(on_delete=delete, related_name=name, to="accounts.organization", **options),
    )


def key():
    return (
        "id",
        models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
    )


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0004_plan_changes"),
        ("billing", "0011_budgets"),
    ]

    operations = [
        migrations.AddField(
            "ratecard",
            "tiers_over",
            models.CharField(
                max_length=12,
                choices=[
                    ("customer", "The whole customer: all its subscriptions, within a region"),
                    ("subscription", "Each subscription for itself"),
                ],
                default="customer",
                help_text="Whose use adds up before free units, tiers, minimum and maximum apply.",
            ),
        ),
        migrations.CreateModel(
            name="RateCardVersion",
            fields=[
                key(),
                ("number", models.PositiveIntegerField()),
                ("effective_from", models.DateTimeField(help_text="The first minute that counts for it.")),
                (
                    "base_fee",
                    models.DecimalField(**MONEY, default=0, help_text="For each subscription and month."),
                ),
                (
                    "base_fee_in_advance",
                    models.BooleanField(
                        default=False,
                        help_text="Bill the coming month's base fee, instead of the past one's.",
                    ),
                ),
                (
                    "minimum",
                    models.DecimalField(
                        **MONEY,
                        null=True,
                        blank=True,
                        help_text="What a month costs at least, fees and use together.",
                    ),
                ),
                (
                    "maximum",
                    models.DecimalField(
                        **MONEY,
                        null=True,
                        blank=True,
                        help_text="What a month costs at most, fees and use together.",
                    ),
                ),
                (
                    "trial_days",
                    models.PositiveIntegerField(
                        default=0, help_text="Days from a subscription's start that cost nothing."
                    ),
                ),
                (
                    "proration",
                    models.CharField(
                        max_length=6,
                        choices=[
                            ("second", "By the second"),
                            ("day", "By the day, in the provider's time zone"),
                            ("none", "None: a started month is paid whole"),
                        ],
                        default="second",
                        help_text="What a part of a month costs, when a subscription starts, changes its plan or ends.",
                    ),
                ),
                organization("rate_card_versions"),
                (
                    "rate_card",
                    models.ForeignKey(on_delete=CASCADE, related_name="versions", to="billing.ratecard"),
                ),
            ],
            options={
                "ordering": ["rate_card", "effective_from"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("rate_card", "number"), name="rate_card_version_number_once"
                    ),
                    models.UniqueConstraint(
                        fields=("rate_card", "effective_from"), name="rate_card_version_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("minimum__isnull", True),
                            ("maximum__isnull", True),
                            ("minimum__lte", models.F("maximum")),
                            _connector="OR",
                        ),
                        name="rate_card_version_minimum_below_maximum",
                    ),
                ],
            },
        ),
        migrations.AddField(
            "price",
            "version",
            models.ForeignKey(
                null=True, on_delete=CASCADE, related_name="prices", to="billing.ratecardversion"
            ),
        ),
        migrations.RunSQL(FIRST_VERSIONS, migrations.RunSQL.noop),
        migrations.RemoveConstraint("price", "price_once"),
        migrations.RemoveField("price", "rate_card"),
        migrations.RemoveField("ratecard", "base_fee"),
        migrations.AlterField(
            "price",
            "version",
            models.ForeignKey(on_delete=CASCADE, related_name="prices", to="billing.ratecardversion"),
        ),
        migrations.AddConstraint(
            "price", models.UniqueConstraint(fields=("version", "meter"), name="price_once")
        ),
        migrations.AlterField(
            "price",
            "meter",
            models.CharField(
                max_length=40, help_text="A meter of the gateway, or one of the provider's own."
            ),
        ),
        migrations.AlterField(
            "price", "model", models.CharField(max_length=24, choices=MODELS, default="graduated")
        ),
        migrations.AlterField(
            "price",
            "free_units",
            models.DecimalField(**UNITS, default=0, help_text="Free each month, before the tiers."),
        ),
        migrations.AddField(
            "price",
            "package_size",
            models.DecimalField(
                **UNITS,
                null=True,
                blank=True,
                help_text="Units of a package, for the models that count packages.",
            ),
        ),
        migrations.CreateModel(
            name="PlanPriceChange",
            fields=[
                key(),
                ("at", models.DateTimeField()),
                organization("plan_price_changes"),
                (
                    "plan",
                    models.ForeignKey(on_delete=CASCADE, related_name="price_changes", to="access.usageplan"),
                ),
                (
                    "old_card",
                    models.ForeignKey(null=True, on_delete=PROTECT, related_name="+", to="billing.ratecard"),
                ),
                (
                    "new_card",
                    models.ForeignKey(null=True, on_delete=PROTECT, related_name="+", to="billing.ratecard"),
                ),
            ],
            options={
                "ordering": ["at"],
                "constraints": [
                    models.UniqueConstraint(fields=("plan", "at"), name="plan_price_change_once_a_minute")
                ],
            },
        ),
        migrations.CreateModel(
            name="PriceOverride",
            fields=[
                (
                    "id",
                    accounts.fields.ShortIdField(
                        default=accounts.ids.short_id,
                        editable=False,
                        max_length=10,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "meter",
                    models.CharField(
                        max_length=40,
                        blank=True,
                        help_text="Empty = all meters and the base fee (a discount only).",
                    ),
                ),
                ("starts_at", models.DateTimeField()),
                (
                    "ends_at",
                    models.DateTimeField(
                        null=True, blank=True, help_text="Exclusive; empty = until it is ended."
                    ),
                ),
                (
                    "percent",
                    models.DecimalField(
                        max_digits=6,
                        decimal_places=3,
                        null=True,
                        blank=True,
                        help_text="The discount, such as 12.5.",
                    ),
                ),
                ("model", models.CharField(max_length=24, choices=MODELS, blank=True)),
                ("free_units", models.DecimalField(**UNITS, default=0)),
                ("package_size", models.DecimalField(**UNITS, null=True, blank=True)),
                ("tiers", models.JSONField(default=list, blank=True)),
                ("reason", models.CharField(max_length=200, blank=True)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                organization("price_overrides_given", PROTECT, help_text="The provider."),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=PROTECT, related_name="price_overrides", to="accounts.organization"
                    ),
                ),
                (
                    "rate_card",
                    models.ForeignKey(on_delete=PROTECT, related_name="overrides", to="billing.ratecard"),
                ),
            ],
            options={
                "ordering": ["starts_at", "created_at"],
                "indexes": [
                    models.Index(fields=["organization", "customer"], name="price_override_customer")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("model", ""), ("percent__gt", 0), ("percent__lte", 100)),
                            models.Q(
                                ("percent__isnull", True),
                                models.Q(("model", ""), _negated=True),
                                models.Q(("meter", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="price_override_discount_or_tariff",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ends_at__isnull", True),
                            ("ends_at__gte", models.F("starts_at")),
                            _connector="OR",
                        ),
                        name="price_override_ends_after_it_starts",
                    ),
                ],
            },
        ),
    ]
