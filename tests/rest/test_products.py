"""Products, pages, invitations, the website and traffic alerts for programs."""

import base64

import pytest

from accounts.branding.models import Branding
from accounts.models import Role
from apis.models import ApiInvitation, Visibility
from metering.models import UsageAlert
from tests.factories import make_api, make_member, make_operation, make_stage, make_token, make_version
from tests.rest.conftest import Program
from tests.rest.problems import fault, problem

pytestmark = pytest.mark.django_db


def test_a_product_is_made_filled_arranged_and_deleted(alice):
    version = make_version(make_api(alice.organization))
    one, two = (make_operation(version, position=number) for number in range(2))
    made = alice.made("products", {"title": "Payments", "summary": "All of it."})
    assert (made["slug"], made["published"], made["operations"]) == ("payments", False, [])
    path = f"products/{made['id']}"
    alice.done(f"{path}/choose-operations", {"version": version.pk, "operations": [one.pk, two.pk]})
    body = {"operations": [{"operation": two.pk, "section": "Refunds"}, {"operation": one.pk}]}
    told = alice.done(f"{path}/arrange", body)["operations"]
    assert told == [
        {"operation": two.pk, "version": version.pk, "method": "GET", "path": two.path, "section": "Refunds"},
        {"operation": one.pk, "version": version.pk, "method": "GET", "path": one.path, "section": ""},
    ]
    # what GET answers may be sent back
    back = alice.patch(path, alice.get(path).json())
    assert back.status_code == 200, back.content
    assert alice.patch(path, {"published": True}).json()["published"] is True
    assert [row["id"] for row in alice.get("products", published="true").json()["results"]] == [made["id"]]
    fault(alice.post("products", {"title": "x", "slug": "payments"}), "slug", "taken")
    fault(alice.post(f"{path}/arrange", {"operations": [{"operation": "abcdefghij"}]}), "order")
    assert alice.delete(path).status_code == 204


def test_operations_of_others_cannot_be_shown(alice, charlie):
    foreign = make_operation(make_version(make_api(charlie.organization)))
    made = alice.made("products", {"title": "Mine"})
    body = {"version": foreign.version_id, "operations": [foreign.pk]}
    fault(alice.post(f"products/{made['id']}/choose-operations", body), "version", "does_not_exist")


def test_pages_of_apis_and_products(alice):
    api = make_api(alice.organization)
    product = alice.made("products", {"title": "Payments"})
    for name, about in (("api-pages", {"api": api.pk}), ("product-pages", {"product": product["id"]})):
        made = alice.made(name, about | {"title": "First steps", "text": "**Hi**"})
        assert (made["slug"], made["published"], made["position"]) == ("first-steps", True, 0)
        path = f"{name}/{made['id']}"
        assert alice.patch(path, {"published": False, "position": 3}).json()["position"] == 3
        assert alice.patch(path, alice.get(path).json()).status_code == 200
        fault(alice.post(name, about | {"title": "First steps"}), "slug", "taken")
        assert alice.get(name, published="false", **about).json()["count"] == 1
        assert alice.delete(path).status_code == 204


def test_invitations(alice, charlie):
    api = make_api(alice.organization, visibility=Visibility.INVITED)
    make_stage(make_version(api))
    assert charlie.get("catalogue").json()["count"] == 0
    made = alice.made("api-invitations", {"api": api.pk, "invited": charlie.organization.pk})
    assert (made["email"], made["invited"]) == ("", charlie.organization.pk)
    assert charlie.get("catalogue").json()["count"] == 1
    fault(alice.post("api-invitations", {"api": api.pk}), "email")
    fault(
        alice.post("api-invitations", {"api": api.pk, "invited": "abcdefghij"}), "invited", "does_not_exist"
    )
    # she is invited, which does not show her who else is
    assert charlie.get("api-invitations").json()["count"] == 0
    assert alice.delete(f"api-invitations/{made['id']}").status_code == 204
    assert not ApiInvitation.objects.exists()
    product = alice.made("products", {"title": "Payments"})
    alice.made("product-invitations", {"product": product["id"], "email": "Ada@example.com"})
    assert alice.get("product-invitations", email="ADA@example.com").json()["count"] == 1


def test_the_website_is_for_staff(alice, staff):
    problem(alice.get("branding"), 403)
    problem(alice.post("site-pages", {"title": "Terms"}), 403)
    made = staff.made("site-pages", {"title": "Terms", "text": "Be kind."})
    assert staff.patch(f"site-pages/{made['id']}", {"in_footer": False}).json()["in_footer"] is False
    assert staff.get("site-pages", slug="terms").json()["count"] == 1
    assert staff.delete(f"site-pages/{made['id']}").status_code == 204
    assert staff.get("branding").json() == {
        "name": "", "logo": "", "accent_light": "", "accent_dark": "", "footer_links": [], "address": ""
    }  # fmt: skip
    picture = base64.b64encode(b"<svg></svg>").decode()
    links = [{"label": "Status", "url": "https://status.example.com"}]
    look = {"name": "Acme", "logo": picture, "footer_links": links}
    assert staff.patch("branding", look).json() == look | {
        "accent_light": "",
        "accent_dark": "",
        "address": "",
    }
    assert Branding.objects.get().logo_type == "image/svg+xml"
    fault(staff.patch("branding", {"accent_light": "#ffff00"}), "accent_light", "contrast")
    fault(staff.patch("branding", {"logo": "no base64"}), "logo")
    fault(staff.patch("branding", {"colour": "red"}), "colour", "unknown_field")


def test_alerts_on_traffic(alice):
    body = {"name": "Failures", "metric": "share_5xx", "threshold": "5.5", "minutes": 3}
    made = alice.made("usage-alerts", body)
    assert (made["scope"], made["below"], made["since"], made["mails"]) == ("", False, None, True)
    path = f"usage-alerts/{made['id']}"
    assert alice.patch(path, {"threshold": "7"}).json()["threshold"] == "7.000"
    assert alice.patch(path, alice.get(path).json()).status_code == 200
    assert alice.get("usage-alerts", crossed="false", metric="share_5xx").json()["count"] == 1
    fault(alice.post("usage-alerts", body), "name", "taken")
    fault(alice.post("usage-alerts", body | {"name": "B", "scope": "api", "about": "abcdefghij"}), "about")
    fault(alice.post("usage-alerts", body | {"name": "B", "minutes": 61}), "minutes")
    bob = Program(make_token(alice.organization, make_member(alice.organization, role=Role.MEMBER).user)[1])
    assert bob.get(path).status_code == 200
    problem(bob.patch(path, {"threshold": "7"}), 403)
    assert alice.delete(path).status_code == 204
    assert not UsageAlert.objects.exists()
