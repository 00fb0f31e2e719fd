"""Products on pages: the provider makes one by hand, readers find and read it."""

import html

import pytest
from django.urls import reverse

from apis.models import Product, ProductInvitation, ProductPage, Visibility
from apis.products.change import change_product
from tests.apis.test_products import chosen, shop  # noqa: F401 -- a fixture
from tests.factories import make_mapping, make_plan, owner_of
from tests.portal.factories import signed_in

pytestmark = pytest.mark.django_db


def text(browser, path):
    response = browser.get(path)
    assert response.status_code == 200
    return response.content.decode()


def test_readers_find_a_product_and_read_it_to_the_first_call(shop):  # noqa: F811
    product, orders, payments, rows = shop
    payments.api.visibility = Visibility.PRIVATE
    payments.api.save()
    stage = orders.stages.get()
    make_mapping(stage)
    plan = make_plan(stage, organization=product.organization, name="Starter")
    visitor = signed_in(None)
    front = visitor.get("/", {"q": "cancel"})
    assert [each.title for each in front.context["products"]] == ["Checkout"]
    assert visitor.get("/", {"category": "x"}).context["products"] == []
    page = text(visitor, "/products/checkout/")
    assert f'href="/products/checkout/reference/#{rows["cancel"].pk}"' in page
    assert reverse("subscribe", args=[plan.pk]) in page
    # the private API lends an operation, but no page of its own
    assert f"/apis/{orders.api.slug}/" in page
    assert f"/apis/{payments.api.slug}/" not in page
    reference = text(visitor, "/products/checkout/reference/")
    assert "/purge" not in reference
    line = 'curl -X DELETE -H "x-api-key: YOUR_KEY" "'
    assert line in html.unescape(reference)
    document = visitor.get(f"/products/checkout/{orders.api.slug}/{orders.name}/openapi.json").json()
    assert list(document["paths"]) == ["/orders", "/orders/{id}"]
    assert visitor.get("/products/checkout/nope/v1/openapi.json").status_code == 404


def test_what_is_not_for_her_is_not_there(shop):  # noqa: F811
    product, orders, *_ = shop
    change_product(product=product, visibility=Visibility.PRIVATE, actor=None)
    paths = ("", "reference/", "pages/guide/", f"{orders.api.slug}/{orders.name}/openapi.json")
    for path in paths:
        assert signed_in(None).get(f"/products/checkout/{path}").status_code == 404
    assert signed_in(None).get("/").context["products"] == []
    assert signed_in(owner_of(product.organization)).get("/products/checkout/").status_code == 200


def test_a_provider_makes_a_product_by_hand(shop):  # noqa: F811
    old, orders, payments, rows = shop
    alice = signed_in(owner_of(old.organization))
    given = {"title": "Till", "slug": "", "summary": "Sell.", "visibility": "public", "published": "on"}
    made = alice.post(reverse("provider-product-new"), given)
    product = Product.objects.get(slug="till")
    place = reverse("provider-product-operations", args=[product.pk])
    assert made["Location"] == place
    assert "Choose some below" in text(alice, place)
    checked = {"choose": "1", "version": orders.pk, "operation": [rows["cancel"].pk, rows["list_orders"].pk]}
    alice.post(place, checked)
    alice.post(place, {"choose": "1", "version": payments.pk, "operation": [rows["pay"].pk]})
    assert chosen(product) == ["list_orders", "cancel", "pay"]
    # a move keeps the headings that were typed beside it, and the focus stays on the button
    typed = {f"section-{rows['pay'].pk}": "Money", "version": payments.pk}
    after = alice.post(place, typed | {"move": f"up:{rows['pay'].pk}"})
    assert chosen(product) == ["list_orders", "pay", "cancel"]
    assert product.chosen.get(operation=rows["pay"]).section == "Money"
    page = text(alice, after["Location"].partition("#")[0])
    assert f'value="up:{rows["pay"].pk}" autofocus' in page
    alice.post(place, {"move": f"up:{rows['pay'].pk}"})
    assert chosen(product) == ["pay", "list_orders", "cancel"]
    readers = text(signed_in(None), "/products/till/")
    assert readers.index("Money") < readers.index("/orders/{id}")


def test_a_refusal_stands_at_its_field_and_loses_nothing(shop):  # noqa: F811
    product, *_ = shop
    alice = signed_in(owner_of(product.organization))
    given = {"title": "Again", "slug": "checkout", "text": "Typed text", "visibility": "public"}
    page = alice.post(reverse("provider-product-new"), given).content.decode()
    assert "choose another slug" in page
    assert "Typed text" in page
    assert Product.objects.count() == 1


def test_pages_and_invitations_by_hand(shop):  # noqa: F811
    product, *_ = shop
    alice = signed_in(owner_of(product.organization))
    new = reverse("provider-product-page-new", args=[product.pk])
    alice.post(new, {"title": "Guide", "text": "**Go**", "position": "1", "published": "on"})
    page = ProductPage.objects.get()
    assert "<strong>Go</strong>" in text(signed_in(None), "/products/checkout/pages/guide/")
    edit = reverse("provider-product-page", args=[product.pk, page.pk])
    alice.post(edit, {"title": "Guide", "slug": "guide", "text": "", "position": "1"})
    assert signed_in(None).get("/products/checkout/pages/guide/").status_code == 404
    alice.post(reverse("provider-product-page-delete", args=[product.pk, page.pk]))
    people = reverse("provider-product-people", args=[product.pk])
    assert "Give an e-mail address" in alice.post(people, {"email": ""}).content.decode()
    assert "There is no organization" in alice.post(people, {"organization": "nope"}).content.decode()
    alice.post(people, {"email": "Ada@example.com"})
    invitation = ProductInvitation.objects.get()
    assert "ada@example.com" in text(alice, people)
    alice.post(reverse("provider-product-withdraw", args=[product.pk, invitation.pk]))
    assert not ProductInvitation.objects.exists()
    assert not ProductPage.objects.exists()
    alice.post(reverse("provider-product-delete", args=[product.pk]))
    assert not Product.objects.exists()
