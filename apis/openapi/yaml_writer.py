"""JSON values -> YAML that every reader takes for the same values."""

from typing import Any

import yaml

from apis.openapi.yaml_reader import CONSTANTS, FLOAT, INTEGER, NOT_JSON, OTHER_BASE

NUMBERS = (INTEGER, OTHER_BASE, FLOAT, NOT_JSON)


class _Dumper(yaml.CSafeDumper):
    """Without anchors, and with longer texts as blocks."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.CSafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    # PyYAML knows YAML 1.1, where 1e3 is text; in 1.2 it is a number
    if text in CONSTANTS or any(each.match(text) for each in NUMBERS):
        style = "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(str, _text)


def write_yaml(value: Any) -> str:
    """Return a JSON value as YAML, keys in their order."""
    written: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    return written
