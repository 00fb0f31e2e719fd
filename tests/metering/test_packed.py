"""JSON that is kept as bytes."""

import pytest

from metering.packed import pack, unpack


@pytest.mark.parametrize("value", [{}, {"a": ["ü", 1, None]}, [], [{"b": "1.50"}]])
def test_what_is_packed_comes_back(value):
    assert unpack(pack(value)) == value
    assert unpack(memoryview(pack(value))) == value


def test_rows_of_a_former_json_column_are_read_as_they_are():
    assert unpack(b'{"a": {"b": ["x"]}}') == {"a": {"b": ["x"]}}
    assert unpack(memoryview(b'["x"]')) == ["x"]
