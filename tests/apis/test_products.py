"""Portal products: chosen operations, their order and sections, who sees them, and what is found."""

import pytest

from accounts.errors import Refused
from apis.invitations import invite_to_product
from apis.models import Product, VersionState, Visibility
from apis.pages import create_product_page, published_pages
from apis.products.change import change_product, create_product, delete_product
from apis.products.choose import arrange_operations, choose_operations, moved
from apis.products.queries import find_products, live_operations, products_for
from apis.products.reference import product_document, reference, sections_of
from tests.factories import (
    audit_actions,
    make_api,
    make_deployment,
    make_member,
    make_operation,
    make_organization,
    make_stage,
    make_user,
    make_version,
)

pytestmark = pytest.mark.django_db


def make_live(organization, name, **operations):
    """A live version with operations `list_orders="GET /orders"`, and those by name."""
    parts = {key: text.split() for key, text in operations.items()}
    paths = {}
    for key, (method, path) in parts.items():
        answer = {"responses": {"200": {"description": f"Of {key}."}}, "operationId": key, "summary": key}
        paths.setdefault(path, {})[method.lower()] = answer
    document = {"openapi": "3.0.3", "info": {"title": name, "version": "1"}, "paths": paths}
    version = make_version(make_api(organization, name=name), document=document)
    rows = {
        key: make_operation(version, method=method, path=path, operation_id=key, position=number, tag=name)
        for number, (key, (method, path)) in enumerate(parts.items())
    }
    compiled = [
        {"method": method, "path": path, "key_required": True, "integration": {"type": "http_proxy"}}
        for method, path in parts.values()
    ]
    deployment = make_deployment(version, compiled={"operations": compiled, "key_source": None})
    make_stage(version, deployment=deployment)
    return version, rows


@pytest.fixture
def shop():
    """A product over two APIs: orders' list and cancel, and payments' pay."""
    organization = make_organization()
    orders, order_rows = make_live(
        organization, "Orders", list_orders="GET /orders", cancel="DELETE /orders/{id}", purge="POST /purge"
    )
    payments, payment_rows = make_live(organization, "Payments", pay="POST /payments")
    product = create_product(organization=organization, title="Checkout", published=True, actor=None)
    rows = order_rows | payment_rows
    choose_operations(
        product=product, version=orders, operations=[rows["list_orders"].pk, rows["cancel"].pk], actor=None
    )
    choose_operations(product=product, version=payments, operations=[rows["pay"].pk], actor=None)
    return product, orders, payments, rows


def chosen(product):
    return [each.operation.operation_id for each in product.chosen.order_by("position")]


def test_operations_of_several_apis_are_chosen_and_unchosen(shop):
    product, orders, _, rows = shop
    assert (product.slug, chosen(product)) == ("checkout", ["list_orders", "cancel", "pay"])
    wanted = [rows["cancel"].pk, rows["purge"].pk]
    choose_operations(product=product, version=orders, operations=wanted, actor=None)
    # what stays keeps its place, what is new comes last
    assert chosen(product) == ["cancel", "pay", "purge"]
    delete_product(product=product, actor=None)
    assert audit_actions() == ["product.created", *["product.arranged"] * 3, "product.deleted"]


def test_they_are_put_in_an_order_and_under_sections(shop):
    product, _, _, rows = shop
    ids = {name: row.pk for name, row in rows.items()}
    arrange_operations(
        product=product,
        order=[ids["pay"]],
        sections={ids["pay"]: "  Money ", ids["cancel"]: "Money"},
        actor=None,
    )
    assert chosen(product) == ["pay", "list_orders", "cancel"]
    told = [
        (each.title, [one.operation.operation_id for one in each.operations])
        for each in sections_of(live_operations(product))
    ]
    assert told == [("Money", ["pay", "cancel"]), ("Orders", ["list_orders"])]
    with pytest.raises(Refused) as refused:
        arrange_operations(product=product, order=[ids["purge"]], sections={}, actor=None)
    assert refused.value.field == "order"


def test_one_is_moved_within_the_order():
    assert moved(["a", "b", "c"], "b", -1) == ["b", "a", "c"]
    assert moved(["a", "b", "c"], "b", 1) == ["a", "c", "b"]
    assert moved(["a", "b"], "b", 1) == moved(["a", "b"], "a", -1) == moved(["a", "b"], "x", 1) == ["a", "b"]


def test_what_is_not_the_providers_or_not_there_is_refused(shop):
    product, _orders, payments, rows = shop
    foreign, foreign_rows = make_live(make_organization(), "Foreign", steal="GET /steal")
    for version, operation, field in (
        (foreign, foreign_rows["steal"], "version"),
        (payments, rows["purge"], "operations"),
    ):
        with pytest.raises(Refused) as refused:
            choose_operations(product=product, version=version, operations=[operation.pk], actor=None)
        assert refused.value.field == field
    assert chosen(product) == ["list_orders", "cancel", "pay"]
    for given, field in (({"slug": "a b"}, "slug"), ({"title": ""}, "title"), ({"slug": "checkout"}, "slug")):
        other = create_product(organization=product.organization, title="Other", actor=None)
        with pytest.raises(Refused) as refused:
            change_product(product=other, actor=None, **given)
        assert refused.value.field == field
        other.refresh_from_db()
        other.delete()


def test_readers_get_what_is_live_only(shop):
    product, orders, payments, rows = shop
    payments.state = VersionState.RETIRED
    payments.save()
    rows["cancel"].removed_at = rows["cancel"].version.created_at
    rows["cancel"].save()
    assert [each.operation for each in live_operations(product)] == [rows["list_orders"]]
    assert chosen(product) == ["list_orders", "cancel", "pay"]
    orders.stages.update(deployment=None)
    assert live_operations(product) == []


def test_who_sees_a_product(shop):
    product, *_ = shop
    alice, bob, charlie = make_user("alice"), make_user("bob"), make_user("charlie")
    make_member(product.organization, bob)
    club = make_organization(alice)

    def seen_by():
        return [bool(products_for(who)) for who in (None, charlie, alice, bob)]

    def show(**fields):
        return change_product(product=product, actor=None, **fields)

    assert seen_by() == [True] * 4
    show(visibility=Visibility.SIGNED_IN)
    assert seen_by() == [False, True, True, True]
    show(visibility=Visibility.PRIVATE)
    assert seen_by() == [False, False, False, True]
    show(visibility=Visibility.INVITED)
    invite_to_product(product=product, invited=club, actor=None)
    assert seen_by() == [False, False, True, True]
    invite_to_product(product=product, email="Charlie@example.com", actor=None)
    assert seen_by() == [False, True, True, True]
    show(published=False)
    assert seen_by() == [False] * 4


def test_the_reference_and_documents_hold_the_chosen_ones_alone(shop):
    product, orders, payments, _ = shop
    sections = reference(product)
    assert [(each.title, [one.described.path for one in each.operations]) for each in sections] == [
        ("Orders", ["/orders", "/orders/{id}"]),
        ("Payments", ["/payments"]),
    ]
    first = sections[0].operations[0]
    assert (first.described.summary, first.needs_key) == ("list_orders", True)
    assert first.described.answers[0].text == "Of list_orders."
    document = product_document(product, orders)
    assert list(document["paths"]) == ["/orders", "/orders/{id}"]
    assert document["info"]["title"] == "Checkout"
    assert document["paths"]["/orders"]["get"]["tags"] == ["Orders"]
    choose_operations(product=product, version=payments, operations=[], actor=None)
    assert product_document(product, payments) is None


def test_any_stands_as_the_methods_that_are_not_named():
    organization = make_organization()
    version, rows = make_live(organization, "Echo", read="GET /echo", rest="ANY /echo")
    document = version.document
    paths = {
        "/echo": {
            "get": document["paths"]["/echo"]["get"],
            "x-amazon-apigateway-any-method": document["paths"]["/echo"]["any"],
        }
    }
    version.stages.get().deployment.__class__.objects.update(document=document | {"paths": paths})
    product = create_product(organization=organization, title="Echo", published=True, actor=None)
    choose_operations(product=product, version=version, operations=[rows["rest"].pk], actor=None)
    found = product_document(product, version)["paths"]["/echo"]
    assert sorted(found) == ["delete", "patch", "post", "put"]
    assert reference(product)[0].operations[0].described.method == "POST"


def test_search_looks_into_texts_pages_sections_and_operations(shop):
    product, *_ = shop
    change_product(product=product, text="Sell **biscuits**.", actor=None)
    create_product_page(product=product, title="Refunding guide", actor=None)
    create_product_page(product=product, title="Hidden", published=False, actor=None)
    other = create_product(organization=product.organization, title="Weather", published=True, actor=None)

    def found(text):
        return list(find_products(products_for(None), text))

    for text in ("checkout", "biscuit", "refund guide", "payments", "cancel", "orders checkout"):
        assert found(text) == [product], text
    assert found("") == [product, other]
    assert found("weather") == [other]
    assert found("purge") == found("hidden") == found("checkout weather") == []
    assert [each.title for each in published_pages(product)] == ["Refunding guide"]


def test_pages_and_invitations_go_with_the_product(shop):
    product, *_ = shop
    create_product_page(product=product, title="Guide", actor=None)
    invite_to_product(product=product, email="a@example.com", actor=None)
    delete_product(product=product, actor=None)
    assert not Product.objects.exists()
    assert audit_actions()[-3:] == ["product_page.created", "product.invited", "product.deleted"]
