"""Every page of the site in a real browser, full and empty: axe finds nothing, nothing moves, nothing is too wide.

A page is here as soon as it stands in the table of `tests/portal/test_permissions.py`.
"""

from typing import Any

import pytest
from django.urls import reverse

from tests.factories import make_organization, make_staff, make_user
from tests.portal.browser.addresses import cookies, of_accounts, of_the_site, shown_to, without_places
from tests.portal.browser.filled import make_filled_shop
from tests.portal.browser.inspector import Inspector, inspectors
from tests.portal.factories import make_shop, signed_in

pytestmark = pytest.mark.django_db(transaction=True)


def faults(inspector: Inspector, paths: list[str], *, dark: bool = True) -> dict[str, list[str]]:
    found = {path: inspector.inspect(path, dark=dark) for path in paths}
    return {path: wrong for path, wrong in found.items() if wrong}


def test_full_pages_have_no_fault(live_server: Any, settings: Any) -> None:
    settings.GATEHOUSE_DEMO = True  # with the line that says so
    shop = make_filled_shop()
    hers, staffs = signed_in(shop.alice), signed_in(make_staff("sam"))
    paths = shown_to(hers, of_the_site(shop) + of_accounts())
    others = shown_to(staffs, [reverse("installation")])
    assert len(paths) > 60
    with inspectors(live_server.url, cookies(hers), cookies(staffs)) as (alice, sam):
        assert faults(alice, paths) | faults(sam, others) == {}


def test_empty_pages_have_no_fault(live_server: Any) -> None:
    """To somebody who has just come, and to a visitor."""
    shop = make_shop()
    charlie = make_user("charlie")
    make_organization(charlie, name="Elsewhere")
    hers, nobodys = signed_in(charlie), signed_in(None)
    paths = shown_to(hers, without_places(shop))
    public = shown_to(nobodys, of_the_site(shop) + of_accounts())
    assert len(paths) > 12
    with inspectors(live_server.url, cookies(hers), cookies(nobodys)) as (newcomer, visitor):
        assert faults(newcomer, paths, dark=False) | faults(visitor, public, dark=False) == {}
