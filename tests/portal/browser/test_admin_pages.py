"""The admin console in a real browser: its overview, lists and forms. What its theme does wrong stands in KNOWN."""

from typing import Any

import pytest
from django.urls import reverse

from tests.billing.factories import make_rate_card
from tests.factories import make_staff
from tests.portal.browser.addresses import cookies
from tests.portal.browser.filled import make_filled_shop
from tests.portal.browser.inspector import inspectors
from tests.portal.factories import Shop, signed_in

pytestmark = pytest.mark.django_db(transaction=True)

# rules of axe that django-unfold's own templates break: rule -> where
KNOWN = {
    "empty-table-header": "the column of an inline's check boxes for deleting",
    "label": "the search field inside a Select2 box",
    "aria-input-field-name": "a Select2 box, which is named by a label that axe does not find",
}
LISTS = ("access_subscription", "accounts_auditevent")


def paths_of(shop: Shop) -> list[str]:
    rows = {"access_usageplan": shop.plan.pk, "billing_ratecard": make_rate_card(shop.organization).pk}
    paths = [reverse("admin:index")]
    paths += [reverse(f"admin:{name}_changelist") for name in LISTS]
    paths += [reverse(f"admin:{name}_change", args=[pk]) for name, pk in rows.items()]
    return [*paths, reverse("admin:apis_api_add")]


def test_admin_pages_have_no_fault_but_known_ones(live_server: Any) -> None:
    shop = make_filled_shop()
    staffs = signed_in(make_staff("sam"))
    paths = paths_of(shop)
    with inspectors(live_server.url, cookies(staffs)) as (sam,):
        found = {path: sam.inspect(path, known=KNOWN, ours=False) for path in paths}
    assert {path: wrong for path, wrong in found.items() if wrong} == {}
