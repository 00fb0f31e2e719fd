"""Finding APIs by words, categories and tags."""

import pytest
from django.contrib.postgres.search import SearchQuery, SearchVectorExact
from django.db import connection

from accounts.errors import Refused
from apis.models import Api, Operation
from apis.search import find_apis
from apis.versions import change_api, create_api
from tests.factories import make_api, make_operation, make_organization, make_version

pytestmark = pytest.mark.django_db


def found(text):
    return [each.name for each in find_apis(Api.objects.all(), text)]


def test_words_are_found_wherever_they_stand():
    make_api(name="Weather", summary="Forecasts for places", description="Rain and *snow*.", tags=["climate"])
    make_api(name="Payments", category="Money")
    for text in ("weath", "WEATHER", "forecast", "snowing", "climate", "rain place", "the weather"):
        assert found(text) == ["Weather"], text
    assert found("payment") == found("money") == ["Payments"]
    assert found("weather money") == []
    assert found("") == found("&|!:*") == ["Payments", "Weather"]


def test_operations_in_use_are_found():
    api = make_api(name="Shop")
    version = make_version(api)
    make_operation(
        version, path="/carts/{id}/items", operation_id="listCartItems", summary="Goods", tag="Basket"
    )
    for text in ("cart", "items", "list shop", "goods", "basket"):
        assert found(text) == ["Shop"], text
    Operation.objects.update(removed_at="2026-01-01T00:00Z")
    assert found("cart") == []
    Operation.objects.update(removed_at=None)
    version.state = "draft"
    version.save()
    assert found("cart") == []


def test_the_best_comes_first():
    make_api(name="A", description="It has maps.")
    make_api(name="B", summary="Maps of places")
    make_api(name="Maps")
    assert found("maps") == ["Maps", "B", "A"]


def test_the_index_serves_the_question_about_operations():
    query = SearchQuery("cart:*", config="english", search_type="raw")
    sql = Operation.objects.filter(SearchVectorExact(Operation.words(), query)).order_by()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    assert "operation_words" in sql.explain()


def test_tags_are_cleaned_and_categories_bounded():
    api = create_api(
        organization=make_organization(),
        name="Maps",
        category=" Geo ",
        tags=["Free  Tier", "free tier", ""],
        actor=None,
    )
    assert (api.category, api.tags) == ("Geo", ["free tier"])
    for given, field in (
        ({"tags": ["a,b"]}, "tags"),
        ({"tags": [str(each) for each in range(13)]}, "tags"),
        ({"tags": ["x" * 41]}, "tags"),
        ({"category": "x" * 61}, "category"),
    ):
        with pytest.raises(Refused) as refused:
            change_api(api=api, actor=None, **given)
        assert refused.value.field == field
