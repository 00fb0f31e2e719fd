"""The generated client is unpacked, imported, and calls a backend."""

import io
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from accounts.errors import Refused
from apis.clients import make_python_client
from apis.clients.fit import fit
from apis.openapi import parse
from apis.openapi.upgrade import upgraded
from apis.reference import read_operation
from tests.portal.reference_world import DOCUMENT, Node

DOCUMENTS = Path(__file__).parent / "documents"
KEYED: dict[str, Any] = {
    **DOCUMENT,
    "security": [{"key": []}],
    "components": {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "x-api-key"}}},
}


def test_the_readmes_example_calls_a_backend_with_the_key(tmp_path: Path) -> None:
    node = Node()
    example = read_operation(KEYED, "GET", "/health")
    packed = make_python_client(
        KEYED, name="orders-v1", address=node.url, credential=example.key, example=example
    )
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        archive.extractall(tmp_path)
        names = archive.namelist()
    assert "orders-v1-client/pyproject.toml" in names
    assert "orders-v1-client/orders_v1_client/py.typed" in names
    readme = (tmp_path / "orders-v1-client" / "README.md").read_text()
    code = re.search(r"```python\n(.*?)```", readme, re.DOTALL)
    assert code
    put = (
        "from orders_v1_client.api.orders import put_orders_id\n"
        "from orders_v1_client.models import PutOrdersIdBody\n"
        "client = AuthenticatedClient(base_url=client._base_url, token='k2', prefix='', auth_header_name='x-api-key')\n"
        "put_orders_id.sync_detailed('a b', client=client, body=PutOrdersIdBody(item='tea', count=2))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code[1] + put],
        cwd=tmp_path / "orders-v1-client",
        capture_output=True,
        text=True,
        check=False,
    )
    node.stop()
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("200\n")
    first, second = node.seen
    assert (first["method"], first["target"], first["headers"]["x-api-key"]) == ("GET", "/health", "YOUR_KEY")
    assert (second["method"], second["target"]) == ("PUT", "/orders/a%20b")
    assert second["body"].replace(b" ", b"") == b'{"item":"tea","count":2}'


def test_a_client_can_be_made_of_a_real_document_with_slips() -> None:
    """httpbin's document has types such as `int`, and path variables that are not required."""
    data = upgraded(parse((DOCUMENTS / "httpbin.json").read_bytes()).data)
    packed = make_python_client(data, name="httpbin v1", address="http://x", credential=None, example=None)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        modules = [name for name in archive.namelist() if "/api/" in name]
    assert len([name for name in modules if "__init__" not in name]) > 70


def test_a_document_that_cannot_be_read_is_refused_with_the_reason() -> None:
    data = {"openapi": "3.0.3", "info": {"title": 7}, "paths": {}}
    with pytest.raises(Refused, match="cannot read this document"):
        make_python_client(data, name="a", address="http://x", credential=None, example=None)


def test_fitting_mends_types_and_path_variables_and_nothing_else() -> None:
    data = {
        "paths": {
            "/a/{id}/{proxy+}": {
                "parameters": [{"name": "id", "in": "path", "schema": {"type": "int", "minimum": 1}}],
                "get": {"parameters": [{"name": "gone", "in": "path"}, {"name": "q", "in": "query"}]},
            }
        },
        "components": {
            "schemas": {"A": {"type": "object", "properties": {"type": {"type": "odd", "description": "x"}}}},
            "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "x"}},
        },
    }
    made = fit(data)
    assert made["components"]["securitySchemes"] == data["components"]["securitySchemes"]  # type: ignore[index]
    assert made["components"]["schemas"]["A"]["properties"] == {"type": {"description": "x"}}
    assert made["paths"]["/a/{id}/{proxy}"]["get"]["parameters"] == [
        {"name": "id", "in": "path", "schema": {"type": "integer", "minimum": 1}, "required": True},
        {"name": "q", "in": "query"},
        {"name": "proxy", "in": "path", "schema": {"type": "string"}, "required": True},
    ]
    assert made["paths"]["/a/{id}/{proxy}"]["get"]["responses"] == {"default": {"description": ""}}
