"""Text -> Document: what is taken, what is refused and why."""

import json
from contextlib import suppress

import pytest
from hypothesis import given, settings, strategies as st

from apis.openapi import Document, DocumentError, parse
from tests.apis.factories import aws_documents, text_of

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
# the two that SAM's tests use as placeholders say nothing that could be published
PLACEHOLDERS = {"rest-api_with_resource_refs-MyApi", "rest-explicit_api-ApiWithInlineSwagger"}


@pytest.mark.parametrize(
    ("name", "specification"),
    [
        ("shop.swagger.yaml", "2.0"),
        ("shop.openapi30.json", "3.0"),
        ("shop.openapi31.yaml", "3.1"),
        ("httpbin.json", "2.0"),
    ],
)
def test_all_three_specifications_are_read_as_json_and_yaml(name, specification):
    document = parse(text_of(name))
    assert document.specification == specification
    assert parse(json.dumps(document.data)).data == document.data


@pytest.mark.parametrize("file", aws_documents())
def test_every_document_of_aws_sam_is_taken_whole(file):
    text = file.read_bytes()
    if file.stem in PLACEHOLDERS:
        with pytest.raises(DocumentError, match="not an OpenAPI document"):
            parse(text)
        return
    assert json.dumps(parse(text).data) == json.dumps(json.loads(text))


def test_yaml_keys_are_text_and_nothing_is_taken_for_a_date():
    document = parse(text_of("shop.swagger.yaml"))
    assert document.data["info"]["version"] == "2024-01-01"
    assert document.data["paths"]["/orders"]["get"]["responses"] == {"200": {"description": "on"}}


def test_values_that_an_anchor_shares_are_copies():
    paths = parse(text_of("shop.openapi31.yaml")).data["paths"]
    assert paths["/on"]["get"] == paths["/off"]["get"]
    assert paths["/on"]["get"] is not paths["/off"]["get"]


@pytest.mark.parametrize(
    ("head", "specification"),
    [
        ('"openapi": 3.0', "3.0"),
        ('"openapi": 3', "3.0"),
        ('"openapi": "3.1.1"', "3.1"),
        ('"openapi": 3.1', "3.1"),
        ('"swagger": 2', "2.0"),
        ('"swagger": 2.0', "2.0"),
        ('"swagger": "2.0", "openapi": "3.1.1"', "3.1"),
        ('"paths": {"/x": {}}', "3.0"),
    ],
)
def test_versions_written_as_numbers_or_twice_are_taken_as_meant(head, specification):
    assert parse("{" + head + "}").specification == specification


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("  \n", "empty"),
        (b"\xff\xfe\x00", "not UTF-8"),
        ("just a text", "not an OpenAPI document"),
        ("[]", "not an OpenAPI document"),
        ("{}", "not an OpenAPI document"),
        ('{"swagger": "1.2"}', "Swagger 1.2 is not supported"),
        ('{"openapi": "4.0"}', "OpenAPI 4.0 is not supported"),
        ('{"openapi": "3.0.0", "a": }', r"not JSON: Expecting value \(line 1, column 27\)"),
        ("openapi: [", "neither JSON nor YAML"),
        ('{"openapi": "3.0.0", "x": NaN}', "NaN"),
        ('{"openapi": "3.0.0", "x": 1e999}', "infinity"),
        ("openapi: 3.0.0\nx: .inf", "inf"),
        ('{"openapi": "3.0.0", "x": ' + "9" * 5_000 + "}", "digits"),
        ("openapi: 3.0.0\n---\nopenapi: 3.0.0", "several YAML documents"),
        ("openapi: 3.0.0\nx: &x {y: *x}", "names no finished anchor"),
        ("openapi: 3.0.0\n? [a]\n: b", "not a text"),
        ("openapi: 3.0.0\n<<: 1", "merge key"),
        ('{"openapi": "3.0.0", "x": ' + "[" * 201 + "]" * 201 + "}", "200 levels"),
        ("openapi: 3.0.0\nx: " + "[" * 5_000, "200 levels"),
        ('{"a":' * 100_000, "nested"),
    ],
)
def test_what_cannot_be_published_is_refused_with_a_reason(text, reason):
    with pytest.raises(DocumentError, match=reason):
        parse(text)


def test_a_document_larger_than_the_limit_is_refused():
    with pytest.raises(DocumentError, match="larger than 1 MB"):
        parse("x" * 1_000_001, max_bytes=1_000_000)


def test_anchors_that_unfold_without_end_are_refused():
    lines = ["openapi: 3.0.0", "a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    with pytest.raises(DocumentError, match="too large once its anchors"):
        parse("\n".join(lines))
    merged = ["openapi: 3.0.0", "a0: &a0 {x: 1}"]
    merged += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}" for n in range(1, 12)]
    with pytest.raises(DocumentError, match="too large once its anchors"):
        parse("\n".join(merged))


def test_merge_keys_add_what_is_not_said():
    data = parse("openapi: 3.0.0\nx-a: &a {one: 1, two: 2}\nx-b: {<<: *a, two: 3}").data
    assert data["x-b"] == {"one": 1, "two": 3}


def test_utf_16_and_a_byte_order_mark_are_read():
    text = '{"openapi": "3.0.0", "info": {"title": "Größe"}}'
    assert parse(text.encode("utf-16")).title == "Größe"
    assert parse(text.encode("utf-8-sig")).title == "Größe"
    assert parse("\ufeff" + text).title == "Größe"


def test_a_document_without_a_title_is_taken_with_a_finding():
    assert [each.message for each in parse("openapi: 3.0.0").findings] == [
        "The document has no title (info.title)."
    ]


@settings(max_examples=300, deadline=None)
@given(st.binary() | st.text() | JSON_VALUES.map(json.dumps))
def test_the_parser_never_raises_anything_but_its_own_error(source):
    with suppress(DocumentError):
        assert isinstance(parse(source), Document)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.text(), JSON_VALUES))
def test_json_values_come_back_as_they_were(values):
    values = {**values, "openapi": "3.0.3"}
    values.pop("swagger", None)
    text = json.dumps(values)
    if not _is_json(values):
        with pytest.raises(DocumentError, match="JSON cannot say"):
            parse(text)
    else:
        assert json.dumps(parse(text).data) == text


def _is_json(values) -> bool:
    try:
        json.dumps(values, allow_nan=False)
    except ValueError:
        return False
    return True
