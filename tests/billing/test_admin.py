"""Staff price and bill in the admin console; what is wrong is said at its field."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils.timezone import now

from billing.models import BillingChunk, BillingRun, Invoice, PlanPrice, RateCard
from billing.rate_cards import create_rate_card
from tests.billing.factories import (
    OCTOBER,
    close_one,
    make_priced_plan,
    make_rate_card,
    october,
    subscribed,
    use,
)
from tests.factories import audit_actions, make_organization, make_plan, make_staff, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client):
    client.force_login(make_staff("alice"))
    return client


def version_form(card, *prices, existing=0, **fields):
    """What a version's page posts; a price is (meter, free units, rows of (up to, price))."""
    data = {
        "rate_card": card.pk,
        "base_fee": "5",
        "trial_days": "0",
        "proration": "second",
        "prices-TOTAL_FORMS": len(prices),
        "prices-INITIAL_FORMS": existing,
    }
    for number, (meter, free, rows, *pk) in enumerate(prices):
        head = f"prices-{number}-"
        data |= {
            head + "meter": meter,
            head + "model": "graduated",
            head + "free_units": free,
            head + "tiers-up_to": [row[0] for row in rows] + [""],
            head + "tiers-unit_price": [row[1] for row in rows] + [""],
            head + "tiers-flat_fee": ["" for _ in rows] + [""],
        }
        if pk:
            data[head + "id"] = pk[0]
    return data | fields


def version_page(card):
    return reverse("admin:billing_ratecardversion_change", args=[card.versions.get(number=1).pk])


def test_a_rate_card_is_made_and_then_priced_with_its_tiers(staff):
    organization = make_organization()
    answer = staff.post(
        reverse("admin:billing_ratecard_add"),
        {"organization": organization.pk, "name": "Standard", "currency": "usd", "tiers_over": "customer"},
    )
    card = RateCard.objects.get()
    assert (card.organization, card.name, card.currency) == (organization, "Standard", "USD")
    assert answer["Location"] == version_page(card)
    form = version_form(card, ("requests", "1000", [("10000", "0.002"), ("", "0.001")]))
    assert staff.post(version_page(card), form).status_code == 302
    (price,) = card.prices.all()
    assert (card.base_fee, price.free_units) == (5, 1000)
    assert [(tier["up_to"], tier["unit_price"]) for tier in price.tiers] == [
        ("10000", "0.002"),
        (None, "0.001"),
    ]
    assert audit_actions() == ["rate_card.created", "rate_card.changed", "rate_card.priced"]


@pytest.mark.parametrize(
    ("fields", "rows", "words"),
    [
        ({}, [("10", "1")], "leave up_to of the last tier empty"),
        ({}, [("", "cheap")], "Tier 1: unit_price must be a number"),
        ({"base_fee": "-1"}, [("", "1")], "at least 0"),
        ({"minimum": "3", "maximum": "2"}, [("", "1")], "above the maximum"),
        ({"prices-0-model": "package"}, [("", "1")], "needs package_size"),
        ({"prices-0-meter": "Mega"}, [("", "1")], "is not a meter"),
    ],
)
def test_what_is_wrong_is_said_on_the_page(staff, fields, rows, words):
    card = create_rate_card(organization=make_organization(), name="Empty", actor=None)
    answer = staff.post(version_page(card), version_form(card, ("requests", "0", rows), **fields))
    assert answer.status_code == 200
    assert words in answer.content.decode()
    assert not card.prices.exists()


def test_the_page_shows_the_tiers_as_rows_and_takes_changes(staff):
    card = make_rate_card()
    page = staff.get(version_page(card)).content.decode()
    assert 'value="333000000"' in page
    assert 'value="0.0000035"' in page
    price = card.prices.get(meter="requests")
    form = version_form(card, ("requests", "0", [("", "0.5")], price.pk), existing=1, base_fee="0")
    assert staff.post(version_page(card), form).status_code == 302
    assert card.prices.get(meter="requests").tiers == [{"up_to": None, "unit_price": "0.5", "flat_fee": "0"}]
    assert audit_actions()[-1] == "rate_card.priced"


def test_a_price_can_be_removed(staff):
    card = make_rate_card()
    price = card.prices.get(meter="requests")
    form = version_form(card, ("requests", "0", [("", "1")], price.pk), existing=1, base_fee="0")
    staff.post(version_page(card), form | {"prices-0-DELETE": "on"})
    assert list(card.prices.values_list("meter", flat=True)) == ["bytes_out"]


def test_a_sold_card_gets_a_new_version_that_begins_as_the_one_before(staff):
    card = make_rate_card(base_fee="3")
    subscribed(make_priced_plan(card))
    page = staff.get(version_page(card)).content.decode()
    assert 'name="_save"' not in page
    assert re.search(r"<th[^>]*>Price a unit</th>", page)
    assert "unit_price" not in page
    address = reverse("admin:billing_ratecardversion_add") + f"?rate_card={card.pk}"
    page = staff.get(address).content.decode()
    assert 'value="333000000"' in page
    assert 'name="base_fee" value="3"' in page
    form = version_form(
        card,
        ("bytes_out", "100", [("", "0.01")]),
        effective_from_0="2101-01-01",
        effective_from_1="00:00",
    )
    # the second price is left as it was
    form |= {"prices-TOTAL_FORMS": 1}
    assert staff.post(address, form).status_code == 302
    version = card.versions.get(number=2)
    assert (version.base_fee, f"{version.effective_from:%Y-%m-%d}") == (5, "2101-01-01")
    prices = {price.meter: price.tiers[0]["unit_price"] for price in version.prices.all()}
    assert prices == {"bytes_out": "0.01", "requests": "0.0000035"}
    card_page = staff.get(reverse("admin:billing_ratecard_change", args=[card.pk])).content.decode()
    assert "2101-01-01 00:00" in card_page
    drop = reverse("admin:billing_ratecardversion_delete", args=[version.pk])
    assert staff.post(drop, {"post": "yes"}).status_code == 302
    assert card.versions.count() == 1


def test_a_name_that_is_taken_is_refused_without_a_trace(staff):
    card = make_rate_card(name="Standard")
    form = {
        "organization": card.organization_id,
        "name": "Standard",
        "currency": "USD",
        "tiers_over": "customer",
    }
    answer = staff.post(reverse("admin:billing_ratecard_add"), form, follow=True)
    assert "already" in answer.content.decode()
    assert RateCard.objects.count() == 1


def test_amazons_prices_are_loaded_from_a_dialog(staff):
    card = create_rate_card(organization=make_organization(), name="Empty", actor=None)
    address = reverse("admin:billing_ratecard_load_prices", args=[card.pk])
    assert "price list" in staff.get(address).content.decode()
    assert not card.prices.exists()
    answer = staff.post(address, {"preset": "aws-rest", "_form_submitted": "True"}, HTTP_HX_REQUEST="true")
    assert answer["HX-Redirect"] == reverse("admin:billing_ratecard_change", args=[card.pk])
    assert card.prices.count() == 2


def test_a_card_is_copied_from_a_dialog(staff):
    card = make_rate_card()
    address = reverse("admin:billing_ratecard_copy_card", args=[card.pk])
    staff.post(address, {"name": "Copy", "_form_submitted": "True"})
    assert RateCard.objects.get(name="Copy").prices.count() == 2


def test_a_card_in_use_is_not_deleted_and_the_page_says_why(staff):
    card = make_rate_card()
    make_priced_plan(card, name="Pro")
    address = reverse("admin:billing_ratecard_changelist")
    form = {"action": "delete_selected", "_selected_action": [card.pk], "post": "yes"}
    page = staff.post(address, form, follow=True).content.decode()
    assert "Pro" in page
    assert RateCard.objects.filter(pk=card.pk).exists()


def test_a_plan_is_priced_and_made_free_again(staff):
    card = make_rate_card()
    plan = make_plan(organization=card.organization)
    staff.post(reverse("admin:billing_planprice_add"), {"plan": plan.pk, "rate_card": card.pk})
    price = PlanPrice.objects.get()
    assert (price.plan, price.rate_card, price.organization) == (plan, card, card.organization)
    staff.post(reverse("admin:billing_planprice_delete", args=[price.pk]), {"post": "yes"})
    assert not PlanPrice.objects.exists()
    assert audit_actions().count("plan.priced") == 2


def test_a_card_of_another_organization_cannot_price_a_plan(staff):
    form = {"plan": make_plan().pk, "rate_card": make_rate_card().pk}
    answer = staff.post(reverse("admin:billing_planprice_add"), form)
    assert "is a rate card of" in answer.content.decode()
    assert not PlanPrice.objects.exists()


@pytest.fixture
def invoice():
    plan = make_priced_plan(make_rate_card(base_fee="10"))
    use(subscribed(plan), october(5), 1_000_000)
    return close_one(plan.organization)


def test_an_invoice_is_shown_with_its_lines_and_cannot_be_edited(staff, invoice):
    page = staff.get(reverse("admin:billing_invoice_change", args=[invoice.pk])).content.decode()
    assert "Requests, first 333,000,000" in page
    assert "13.50 USD" in page
    assert 'name="_save"' not in page
    assert staff.get(reverse("admin:billing_invoice_add")).status_code == 403
    assert staff.get(reverse("admin:billing_invoice_delete", args=[invoice.pk])).status_code == 403


@pytest.mark.parametrize(("action", "state"), [("mark_as_paid", "paid"), ("make_void", "void")])
def test_invoices_are_paid_and_voided_from_the_list(staff, invoice, action, state):
    address = reverse("admin:billing_invoice_changelist")
    page = staff.post(address, {"action": action, "_selected_action": [invoice.pk]}, follow=True)
    assert f"1 invoice now {state}" in page.content.decode()
    invoice.refresh_from_db()
    assert invoice.state == state
    page = staff.post(address, {"action": action, "_selected_action": [invoice.pk]}, follow=True)
    assert "only a finalized one" in page.content.decode()


@pytest.mark.parametrize(
    ("action", "state", "words"),
    [("pay_this", "paid", "13.50 noted"), ("void_this", "void", "1 invoice now void")],
)
def test_an_invoice_is_paid_or_voided_from_its_page_after_a_question(staff, invoice, action, state, words):
    address = reverse(f"admin:billing_invoice_{action}", args=[invoice.pk])
    staff.get(address)
    invoice.refresh_from_db()
    assert invoice.state == "finalized"
    page = staff.post(address, {"_form_submitted": "True"}, follow=True)
    assert words in page.content.decode()
    invoice.refresh_from_db()
    assert invoice.state == state


@pytest.mark.parametrize("term", ["1", "2026-000001", "000001"])
def test_an_invoice_is_found_by_its_number(staff, invoice, term):
    page = staff.get(reverse("admin:billing_invoice_changelist"), {"q": term})
    assert invoice.customer.name in page.content.decode()


def test_a_month_is_closed_from_a_dialog(staff, django_capture_on_commit_callbacks):
    plan = make_priced_plan()
    use(subscribed(plan), now(), 1_000_000)
    address = reverse("admin:billing_invoice_close_month")
    form = {"provider": plan.organization_id, "month": "running", "_form_submitted": "True"}
    with django_capture_on_commit_callbacks(execute=True):
        sent = staff.post(address, form)
    page = staff.get(sent.url).content.decode()
    assert "is closed" in page
    assert "1 of 1 customer (100 %), 1 invoice" in page
    assert "3.50 USD" in page
    assert Invoice.objects.count() == 1


def make_run(**fields):
    started = {"month_start": OCTOBER.start, "until": OCTOBER.end, "customers": 100, "chunks": 2}
    return BillingRun.objects.create(organization=make_organization(), **(started | fields))


def test_a_run_shows_how_far_it_is_and_refreshes_itself(staff):
    run = make_run(customers_done=50, invoices=49, started_at=now() - timedelta(seconds=10))
    page = staff.get(reverse("admin:billing_billingrun_change", args=[run.pk])).content.decode()
    address = reverse("admin:billing_billingrun_progress", args=[run.pk])
    assert f'data-progress="{address}"' in page
    part = staff.get(address).content.decode()
    assert "data-running" in part
    assert "Closing October 2026" in part
    assert "50 of 100 customers (50 %), 49 invoices" in part
    assert " a second, " in part
    assert " s left" in part


def test_a_run_that_failed_says_for_whom_and_why(staff):
    run = make_run(state="failed", error="ValueError: no price", customers_done=100, finished_at=now())
    BillingChunk.objects.create(
        organization=run.organization, run=run, number=1, payers=[run.organization_id], state="failed"
    )
    part = staff.get(reverse("admin:billing_billingrun_progress", args=[run.pk])).content.decode()
    assert "data-running" not in part
    assert "could not be closed for all customers" in part
    assert "ValueError: no price" in part
    assert reverse("admin:accounts_organization_change", args=[run.organization_id]) in part


def test_a_run_without_customers_says_so(staff):
    run = make_run(state="done", customers=0, chunks=0, finished_at=now())
    part = staff.get(reverse("admin:billing_billingrun_progress", args=[run.pk])).content.decode()
    assert "Nothing to bill in October 2026" in part


def test_runs_are_not_for_others(client):
    run = make_run()
    client.force_login(make_user("bob", is_staff=True))
    assert client.get(reverse("admin:billing_billingrun_progress", args=[run.pk])).status_code == 404


@pytest.mark.parametrize("rows", [1, 3])
def test_the_lists_ask_the_same_number_of_queries(staff, rows, django_assert_max_num_queries):
    plan = make_priced_plan(make_rate_card(base_fee="1"))
    for _ in range(rows):
        subscribed(plan)
    from tests.billing.factories import close

    assert len(close(plan.organization)) == rows
    staff.get(reverse("admin:index"))  # the first page writes down the browser's session, too
    for page in ("invoice", "ratecard", "planprice", "billingrun"):
        with django_assert_max_num_queries(14):
            assert staff.get(reverse(f"admin:billing_{page}_changelist")).status_code == 200


def test_charlie_is_not_let_in(client):
    client.force_login(make_user("charlie"))
    for page in ("invoice", "ratecard", "planprice"):
        assert client.get(reverse(f"admin:billing_{page}_changelist")).status_code == 302


def test_staff_without_the_right_cannot_void(client, invoice):
    from django.contrib.auth.models import Permission

    bob = make_user("bob", is_staff=True)
    bob.user_permissions.add(Permission.objects.get(codename="view_invoice"))
    client.force_login(bob)
    address = reverse("admin:billing_invoice_changelist")
    assert client.get(address).status_code == 200
    client.post(address, {"action": "make_void", "_selected_action": [invoice.pk]})
    assert client.get(reverse("admin:billing_invoice_close_month")).status_code == 403
    invoice.refresh_from_db()
    assert invoice.state == "finalized"


def test_a_discount_is_given_and_ended(staff):
    card = make_rate_card()
    customer = subscribed(make_priced_plan(card)).organization
    address = reverse("admin:billing_priceoverride_add")
    assert staff.get(address).status_code == 200
    form = {"rate_card": card.pk, "customer": customer.pk, "percent": "12.5", "free_units": "0"}
    wrong = staff.post(address, form | {"percent": "120"})
    assert "at most 100 percent" in wrong.content.decode()
    assert staff.post(address, form).status_code == 302
    override = card.overrides.get()
    assert (override.customer, override.percent, override.ends_at) == (customer, Decimal("12.5"), None)
    listed = {"action": "end_now", "_selected_action": [override.pk]}
    page = staff.post(reverse("admin:billing_priceoverride_changelist"), listed, follow=True)
    assert "Ended" in page.content.decode()
    override.refresh_from_db()
    assert override.ends_at is not None
