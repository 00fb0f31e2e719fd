"""Where in a text the places are that findings name by JSON pointers."""

import re
from collections.abc import Collection
from typing import Any

import yaml

from apis.openapi.findings import pointer
from apis.openapi.parse import JSON_BEGINS

# halves of a pair, which JSON may escape and YAML may not
SURROGATE = re.compile(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")


class _Place:
    """An object or a list that is still open. `key` is the pointer of the value that comes next."""

    def __init__(self, at: str, *, is_list: bool) -> None:
        self.at, self.key, self.count, self.is_list = at, "", 0, is_list


def lines_of(text: str, pointers: Collection[str]) -> dict[str, int]:
    """Return the line (from 1) of each pointer's place in a JSON or YAML text.

    A place that the text does not have itself (behind an alias, or in a text that ends in an error) gets the line
    of the nearest place around it.
    """
    wanted = {above for each in pointers for above in _upwards(each)}
    found = {"": 1} | _walk(text, wanted)
    return {each: next(found[above] for above in _upwards(each) if above in found) for each in pointers}


def _upwards(at: str) -> list[str]:
    """Return a pointer, then the ones around it, up to ''."""
    parts = at.split("/")
    return ["/".join(parts[:count]) for count in range(len(parts), 0, -1)]


def _walk(text: str, wanted: Collection[str]) -> dict[str, int]:
    if JSON_BEGINS.match(text):
        text = SURROGATE.sub(r"\\u0020", text.replace("\t", " "))
    found: dict[str, int] = {}
    stack: list[_Place] = []
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            _take(event, stack, wanted, found)
    except yaml.YAMLError:
        pass  # what was found until here is still right
    return found


def _take(event: Any, stack: list[_Place], wanted: Collection[str], found: dict[str, int]) -> None:
    if isinstance(event, yaml.CollectionEndEvent):
        stack.pop()
        return
    opens = isinstance(event, yaml.CollectionStartEvent)
    if not opens and not isinstance(event, yaml.ScalarEvent | yaml.AliasEvent):
        return
    at = ""
    if stack:
        place = stack[-1]
        if place.is_list:
            at, place.count = f"{place.at}/{place.count}", place.count + 1
        elif not place.key:
            place.key = place.at + pointer(getattr(event, "value", ""))
            if place.key in wanted:
                found.setdefault(place.key, event.start_mark.line + 1)
            return
        else:
            at, place.key = place.key, ""
        if place.is_list and at in wanted:
            found.setdefault(at, event.start_mark.line + 1)
    if opens:
        stack.append(_Place(at, is_list=isinstance(event, yaml.SequenceStartEvent)))
