"""Ready `curl` lines put the key where the API wants it."""

import pytest

from apis.document_settings import change_document_settings
from apis.publish import deploy
from portal.examples import curl_of
from tests.apis.factories import document, imported

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("source", "line"),
    [
        (None, 'curl -H "x-api-key: K" "{url}"'),
        ({"place": "header", "name": "x-shop"}, 'curl -H "x-shop: K" "{url}"'),
        ({"place": "bearer"}, 'curl -H "Authorization: Bearer K" "{url}"'),
        ({"place": "query", "name": "key"}, 'curl "{url}?key=K"'),
    ],
)
def test_the_key_stands_where_the_api_wants_it(source, line):
    version = imported(document({"/a": {"get": {}}}))
    change_document_settings(version=version, key_source=source, actor=None)
    deploy(version=version, actor=None)
    assert curl_of(version.stages.get(), "K") == line.format(url="http://localhost:8080/shop/v1/a")


def test_there_is_no_line_where_nothing_can_be_called():
    version = imported(document({"/a/{id}": {"get": {}}}))
    deploy(version=version, actor=None)
    assert curl_of(version.stages.get()) == ""
