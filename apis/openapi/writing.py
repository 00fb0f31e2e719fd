"""Values -> text that reads back as the same values."""

import json
from typing import Any

import yaml

from apis.openapi.yaml_reader import scalar

JSON, YAML = "json", "yaml"


class _Dumper(yaml.CSafeDumper):
    """Quotes what our reader (YAML 1.2) would not take for a text, and writes no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: _Dumper, value: str) -> yaml.ScalarNode:
    if "\n" in value and not any(line.endswith(" ") for line in value.split("\n")):
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|")
    style = None if isinstance(scalar(value), str) else "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def written(data: Any, form: str) -> str:
    """Return JSON values as text, `json` (indented) or `yaml`, in their own order."""
    if form == YAML:
        text = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
        return str(text)
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"
