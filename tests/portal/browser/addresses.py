"""Which pages there are: the table of permissions and allauth's own, so that a new page is looked at unasked."""

from collections.abc import Iterable

from allauth.account import urls as account_urls
from django.test import Client
from django.urls import NoReverseMatch, reverse

from tests.portal.factories import Shop
from tests.portal.test_permissions import PAGES


def of_the_site(shop: Shop) -> list[str]:
    return [reverse(name, args=shop.places.get(name, ())) for name in PAGES]


def without_places(shop: Shop) -> list[str]:
    """Pages whose address needs nothing of one's own: they show an empty state to somebody new."""
    return [reverse(name) for name in PAGES if name not in shop.places]


def of_accounts() -> list[str]:
    """Sign-in and the like."""
    found = []
    for each in account_urls.urlpatterns:
        try:
            found.append(reverse(each.name))
        except NoReverseMatch:
            continue
    return found


def shown_to(browser: Client, paths: Iterable[str]) -> list[str]:
    """Of these, the pages (HTML) that open for a person."""
    return [path for path in dict.fromkeys(paths) if _is_page(browser, path)]


def cookies(browser: Client) -> dict[str, str]:
    return {name: morsel.value for name, morsel in browser.cookies.items()}


def _is_page(browser: Client, path: str) -> bool:
    answer = browser.get(path)
    return answer.status_code == 200 and answer.headers.get("Content-Type", "").startswith("text/html")
