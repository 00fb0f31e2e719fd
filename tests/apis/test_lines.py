"""Lines of findings, ways out, and texts that read back as what they say."""

import json

import pytest

from apis.openapi import parse
from apis.openapi.lines import lines_of
from apis.openapi.operation_edits import CannotBe, with_operation, with_summary, without_operation
from apis.openapi.parse import read_values
from apis.openapi.ways_out import way_out
from apis.openapi.writing import JSON, YAML, written

DOCUMENT = {
    "openapi": "3.0.3",
    "info": {"title": "A", "version": "1"},
    "paths": {
        "/a/{b}": {
            "get": {"tags": ["x", {"deep": 1}], "responses": {"200": {"description": "Fine.\nTwo lines."}}},
            "parameters": [],
        },
        "/t~": {"$ref": "#/x-shared"},
    },
    "x-shared": {"get": {"responses": {}}, "post": {"responses": {}}},
}


@pytest.mark.parametrize("form", [JSON, YAML])
def test_each_place_has_the_line_on_which_it_stands(form):
    text = written(DOCUMENT, form)
    lines = text.splitlines()
    places = {
        "/info/version": "version",
        "/paths/~1a~1{b}/get": "get",
        "/paths/~1a~1{b}/get/responses/200": "200",
        "/paths/~1t~0": "/t~",
    }
    found = lines_of(text, list(places))
    for at, word in places.items():
        assert word in lines[found[at] - 1], at
    assert (
        lines[lines_of(text, ["/paths/~1a~1{b}/get/tags/0"])["/paths/~1a~1{b}/get/tags/0"] - 1].strip(' -",')
        == "x"
    )


def test_what_the_text_does_not_have_gets_the_line_around_it():
    text = "a: &x\n  b: 1\nc: *x\n"
    assert lines_of(text, ["/c/b", "/nowhere", "", "/a/b"]) == {"/c/b": 3, "/nowhere": 1, "": 1, "/a/b": 2}
    assert lines_of("a: 1\nb: [\n", ["/a", "/c"]) == {"/a": 1, "/c": 1}


def test_json_that_yaml_would_refuse_has_lines_too():
    text = '{\n\t"a": "\\ud83d\\ude00",\n\t"b": {"c": 1}\n}'
    assert json.loads(text)
    assert lines_of(text, ["/b/c"]) == {"/b/c": 3}


@pytest.mark.parametrize(
    "value",
    [
        "on",
        "no",
        "2024-01-01",
        "0o17",
        "0x1f",
        "1e3",
        "1_000",
        "~",
        "",
        " a ",
        "a: b",
        "# c",
        "2\nlines \n",
        "<<",
        "é\u2028",
    ],
)
def test_texts_stay_texts_in_yaml(value):
    data = {"k": value, "list": [value, 1.5, None, True, 10**20]}
    assert read_values(written(data, YAML)) == data


def test_operations_are_added_and_taken_out_where_they_stand():
    document = parse(json.dumps(DOCUMENT))
    more = with_operation(document, "ANY", "/files/{name}/{proxy+}", "Files")
    made = more.data["paths"]["/files/{name}/{proxy+}"]["x-amazon-apigateway-any-method"]
    assert [each["name"] for each in made["parameters"]] == ["name", "proxy"]
    assert document.data == DOCUMENT
    assert without_operation(more, "ANY", "/files/{name}/{proxy+}").data == DOCUMENT
    rest = without_operation(document, "POST", "/t~").data
    assert list(rest["x-shared"]) == ["get"]
    assert "/t~" in rest["paths"]
    assert "/a/{b}" not in without_operation(document, "GET", "/a/{b}").data["paths"]
    named = with_summary(document, "GET", "/a/{b}", "One")
    assert next(iter(named.data["paths"]["/a/{b}"]["get"].items())) == ("summary", "One")
    with pytest.raises(KeyError):
        without_operation(document, "PUT", "/a/{b}")


@pytest.mark.parametrize(
    ("method", "path", "field"),
    [
        ("TRACE", "/x", "method"),
        ("GET", "x", "path"),
        ("GET", "/{a}{b}", "path"),
        ("GET", "/a/{other}", "path"),
        ("PUT", "/t~", "path"),
    ],
)
def test_what_cannot_be_an_operation_names_the_field(method, path, field):
    with pytest.raises(CannotBe) as refused:
        with_operation(parse(json.dumps(DOCUMENT)), method, path)
    assert refused.value.field == field


def test_findings_have_ways_out():
    assert "http_proxy" in way_out(
        "Not served by this gateway yet: Integrations of the type mock are not served yet."
    )
    assert way_out("Something nobody thought of.") == ""
