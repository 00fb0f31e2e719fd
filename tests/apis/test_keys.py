"""Editing whether an operation needs a key: the document says it afterwards, and nothing else changes."""

import copy

import pytest
from hypothesis import given, settings, strategies as st

from apis.openapi import Document, parse
from apis.openapi.keys import with_key_required
from apis.openapi.operations import read_operations
from tests.apis.factories import KEY_SCHEME, document, text_of

SCHEMES = {**KEY_SCHEME, "bearer": {"type": "http", "scheme": "bearer"}}
REQUIREMENTS = st.none() | st.lists(
    st.dictionaries(st.sampled_from(["api_key", "bearer", "NONE"]), st.just([]), max_size=2), max_size=3
)


def key_required(source: Document) -> dict:
    return {(each.method, each.path): each.key_required for each in read_operations(source)[0]}


@settings(max_examples=200, deadline=None)
@given(REQUIREMENTS, REQUIREMENTS, st.booleans(), st.booleans())
def test_what_is_set_is_read_back_and_the_rest_stays(at_operation, root, required, has_schemes):
    paths = {"/a": {"get": {}, "put": {"security": []}}}
    if at_operation is not None:
        paths["/a"]["get"]["security"] = at_operation
    more = {} if root is None else {"security": root}
    if has_schemes:
        more["components"] = {"securitySchemes": SCHEMES}
    source = document(paths, **more)
    before = copy.deepcopy(source.data)
    edited = with_key_required(source, [("GET", "/a")], required=required)
    assert source.data == before
    assert key_required(edited) == {("GET", "/a"): required, ("PUT", "/a"): False}
    again = with_key_required(edited, [("GET", "/a")], required=required)
    assert again.data == edited.data
    back = with_key_required(edited, [("GET", "/a")], required=not required)
    assert key_required(back)["GET", "/a"] is (not required)
    for data in (edited.data, source.data):
        del data["paths"]["/a"]["get"]
        data.pop("components", None)
    assert edited.data == source.data


@pytest.mark.parametrize(
    ("name", "place"), [("shop.swagger.yaml", "securityDefinitions"), ("shop.openapi31.yaml", "components")]
)
def test_the_scheme_is_added_where_the_specification_wants_it(name, place):
    source = parse(text_of(name))
    source.data.pop(place, None)
    edited = with_key_required(source, list(key_required(source))[:1], required=True)
    found = edited.data[place] if place == "securityDefinitions" else edited.data[place]["securitySchemes"]
    assert found == KEY_SCHEME


def test_a_name_that_is_taken_by_another_scheme_is_left_alone():
    schemes = {"api_key": {"type": "http", "scheme": "basic"}}
    source = document({"/a": {"get": {}}}, components={"securitySchemes": schemes})
    edited = with_key_required(source, [("GET", "/a")], required=True)
    assert edited.data["components"]["securitySchemes"]["api_key"] == schemes["api_key"]
    assert edited.data["paths"]["/a"]["get"]["security"] == [{"gatehouse_api_key": []}]


def test_plain_cases_read_as_an_author_would_write_them():
    source = document({"/a": {"get": {}}})
    closed = with_key_required(source, [("GET", "/a")], required=True)
    assert closed.data["paths"]["/a"]["get"] == {"security": [{"api_key": []}]}
    opened = with_key_required(closed, [("GET", "/a")], required=False)
    assert opened.data["paths"]["/a"]["get"] == {"security": []}


def test_an_operation_that_is_not_there_is_an_error():
    with pytest.raises(KeyError):
        with_key_required(document({}), [("GET", "/a")], required=True)
