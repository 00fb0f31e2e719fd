"""Audit trails with filters, on the console's and the provider's pages."""

import csv
import io
from datetime import UTC, datetime

import pytest
from django.urls import reverse

from accounts.audit import record
from accounts.models import AuditEvent, Organization, User
from tests.factories import make_organization, make_staff, make_user
from tests.portal.factories import Shop, make_shop, signed_in

pytestmark = pytest.mark.django_db
PAGES = ("audit", "provider-audit")


@pytest.fixture
def shop() -> Shop:
    shop = make_shop()
    AuditEvent.objects.all().delete()
    line(shop.organization, shop.alice, "key.revoked", "Revoked the key Server.", 3, key="abc")
    line(shop.organization, make_user("bob"), "key.created", "Made the key Server.", 2, key="abc")
    line(shop.organization, None, "stage.deployed", "Deployed to live.", 1)
    line(make_organization(), None, "key.revoked", "Somebody else's.", 3)
    return shop


def line(
    organization: Organization | None, actor: User | None, action: str, words: str, day: int, *, key: str = ""
) -> None:
    target = make_user()
    made = record(organization=organization, actor=actor, action=action, target=target, summary=words)
    about = {"target_kind": "apikey", "target_id": key} if key else {}
    AuditEvent.objects.filter(pk=made.pk).update(at=datetime(2026, 11, day, 12, tzinfo=UTC), **about)


def found(shop: Shop, page: str, **asked: str) -> list[str]:
    """The actions that a page lists, newest first."""
    answer = signed_in(shop.alice).get(reverse(page), asked)
    assert answer.status_code == 200
    return [each.action for each in answer.context["rows"]]


ALL = ["key.revoked", "key.created", "stage.deployed"]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    ("asked", "actions"),
    [
        ({}, ALL),
        ({"who": "ALICE"}, ["key.revoked"]),
        ({"what": "key."}, ["key.revoked", "key.created"]),
        ({"what": "deployed to"}, ["stage.deployed"]),
        ({"target": "abc"}, ["key.revoked", "key.created"]),
        ({"target": "apikey:abc", "who": "bob"}, ["key.created"]),
        ({"target": "apikey"}, ["key.revoked", "key.created"]),
        ({"since": "2026-11-02", "until": "2026-11-02"}, ["key.created"]),
        ({"since": "nonsense"}, ALL),
        ({"what": "zebra"}, []),
        ({"of": "everything"}, ALL),
    ],
)
def test_lines_are_found_by_who_what_about_and_when(
    shop: Shop, page: str, asked: dict[str, str], actions: list[str]
) -> None:
    assert found(shop, page, **asked) == actions


def test_nothing_that_fits_is_said_and_what_was_typed_stays(shop: Shop) -> None:
    page = signed_in(shop.alice).get(reverse("audit"), {"what": "zebra"}).content.decode()
    assert "Nothing fits" in page
    assert 'value="zebra"' in page


def test_the_csv_has_all_that_fits(shop: Shop) -> None:
    answer = signed_in(shop.alice).get(reverse("provider-audit"), {"what": "key.", "csv": "1"})
    text = b"".join(answer) if answer.streaming else answer.content  # type: ignore[arg-type]
    rows = list(csv.DictReader(io.StringIO(text.decode("utf-8-sig"))))
    assert [(each["action"], each["actor"], each["target_id"]) for each in rows] == [
        ("key.revoked", "alice@example.com", "abc"),
        ("key.created", "bob@example.com", "abc"),
    ]


def test_staff_see_the_installations_lines_and_everybodys(shop: Shop) -> None:
    line(None, None, "node.created", "Made node gate-1", 4)
    browser, page = signed_in(make_staff()), reverse("provider-audit")

    def actions(of: str) -> list[str]:
        return [each.action for each in browser.get(page, {"of": of}).context["rows"]]

    assert actions("installation") == ["node.created"]
    assert sorted(actions("everything")) == sorted([*ALL, "node.created", "key.revoked"])
