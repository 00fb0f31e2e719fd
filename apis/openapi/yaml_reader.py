"""YAML -> JSON values, built from libyaml's events.

YAML has surprises that no OpenAPI author wants: `on:` as true, `2024-01-01` as a date, `200:` as a number,
and anchors that unfold a few lines into gigabytes. So scalars follow YAML 1.2's core schema, keys are always
the text that stands there, and size and depth are counted while the document is read.
"""

import re
from collections.abc import Callable
from typing import Any

import yaml

from apis.openapi.document import DocumentError
from apis.openapi.values import MAX_DEPTH, too_deep

CONSTANTS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
INTEGER = re.compile(r"[-+]?[0-9]{1,400}\Z")
OTHER_BASE = re.compile(r"0(?:o[0-7]{1,400}|x[0-9a-fA-F]{1,400})\Z")
FLOAT = re.compile(r"[-+]?(?:\.[0-9]{1,400}|[0-9]{1,400}(?:\.[0-9]{0,400})?)(?:[eE][-+]?[0-9]{1,9})?\Z")
NOT_JSON = re.compile(r"(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z")
MERGE = "<<"
PREFIX = "tag:yaml.org,2002:"


def read_yaml(text: str, *, max_weight: int) -> Any:
    """Return the values of a YAML document; raises DocumentError.

    `max_weight` bounds the size with every anchor unfolded, in characters of JSON (roughly).
    """
    builder = _Builder(max_weight)
    try:
        # yaml.parse reads events only; it makes no objects
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise DocumentError(f"The text is neither JSON nor YAML: {error.problem or error}{where}.") from error
    except yaml.YAMLError as error:
        raise DocumentError(f"The text is neither JSON nor YAML: {error}") from error
    except UnicodeError as error:
        raise DocumentError("The text has characters that cannot be written in UTF-8.") from error
    return builder.result


def scalar(value: str) -> Any:
    """Return what a plain scalar means in YAML 1.2's core schema."""
    if value in CONSTANTS:
        return CONSTANTS[value]
    if INTEGER.match(value):
        return int(value)
    if OTHER_BASE.match(value):
        return int(value, 0)
    if FLOAT.match(value):
        return float(value)
    if NOT_JSON.match(value):
        raise DocumentError(f"The document has a number that JSON cannot say ({value}).")
    return value


class _Open:
    """A list or an object whose end has not come yet."""

    def __init__(self, value: dict[str, Any] | list[Any], anchor: str | None) -> None:
        self.value = value
        self.anchor = anchor
        self.key: str | None = None
        self.merged: list[dict[str, Any]] = []
        self.weight = 2


class _Builder:
    """Takes events one by one. Anchored values are shared, but count each time they are used."""

    def __init__(self, max_weight: int) -> None:
        self.result: Any = None
        self._max_weight = max_weight
        self._stack: list[_Open] = []
        self._anchors: dict[str, tuple[Any, int, int]] = {}  # name -> value, weight, height
        self._heights: list[int] = []
        self._documents = 0
        self._takers: dict[type, Callable[[Any], None]] = {
            yaml.DocumentStartEvent: self._start_document,
            yaml.ScalarEvent: self._scalar,
            yaml.AliasEvent: self._alias,
            yaml.MappingStartEvent: lambda event: self._open({}, event),
            yaml.SequenceStartEvent: lambda event: self._open([], event),
            yaml.MappingEndEvent: self._close,
            yaml.SequenceEndEvent: self._close,
        }

    def take(self, event: Any) -> None:
        taker = self._takers.get(type(event))
        if taker:
            taker(event)

    def _start_document(self, event: Any) -> None:
        self._documents += 1
        if self._documents > 1:
            raise DocumentError("The text holds several YAML documents; give one.")

    def _scalar(self, event: Any) -> None:
        text = event.value
        if self._awaits_key():
            self._stack[-1].key = text
            self._stack[-1].weight += len(text) + 4
            if event.anchor:
                self._anchors[event.anchor] = (text, len(text) + 2, 0)
            return
        plain = event.implicit[0]
        if plain or event.tag in (PREFIX + "int", PREFIX + "float", PREFIX + "bool", PREFIX + "null"):
            value = scalar(text)
        else:
            value = text
        self._put(value, len(text) + 3, 0, event.anchor)

    def _alias(self, event: Any) -> None:
        known = self._anchors.get(event.anchor)
        if known is None:
            raise DocumentError(f"The alias *{event.anchor} names no finished anchor before it.")
        value, weight, height = known
        if self._awaits_key():
            if isinstance(value, dict | list):
                raise DocumentError("A key of the document is not a text.")
            self._stack[-1].key = value if isinstance(value, str) else str(value)
            self._stack[-1].weight += weight
            return
        self._put(value, weight, height, None)

    def _open(self, value: dict[str, Any] | list[Any], event: Any) -> None:
        if self._awaits_key():
            raise DocumentError("A key of the document is not a text.")
        self._stack.append(_Open(value, event.anchor))
        self._heights.append(0)
        if len(self._stack) > MAX_DEPTH:
            raise too_deep()

    def _close(self, event: Any) -> None:
        done = self._stack.pop()
        height = self._heights.pop() + 1
        if done.merged and isinstance(done.value, dict):
            merged: dict[str, Any] = {}
            for source in done.merged:  # the first that names a key wins (YAML's merge key)
                for key, value in source.items():
                    merged.setdefault(key, value)
            done.value = merged | done.value
        self._put(done.value, done.weight, height, done.anchor)

    def _awaits_key(self) -> bool:
        return bool(self._stack) and isinstance(self._stack[-1].value, dict) and self._stack[-1].key is None

    def _put(self, value: Any, weight: int, height: int, anchor: str | None) -> None:
        if anchor:
            self._anchors[anchor] = (value, weight, height)
        if not self._stack:
            self.result = value
            return
        parent = self._stack[-1]
        parent.weight += weight
        if parent.weight > self._max_weight:
            raise DocumentError("The document is too large once its anchors are unfolded.")
        self._heights[-1] = max(self._heights[-1], height)
        if len(self._stack) + height > MAX_DEPTH:
            raise too_deep()
        if isinstance(parent.value, list):
            parent.value.append(value)
        elif parent.key == MERGE:
            self._merge(parent, value)
            parent.key = None
        elif parent.key is not None:
            parent.value[parent.key] = value
            parent.key = None

    @staticmethod
    def _merge(parent: _Open, value: Any) -> None:
        sources = value if isinstance(value, list) else [value]
        if not all(isinstance(source, dict) for source in sources):
            raise DocumentError("A merge key (<<) must name an object or a list of objects.")
        parent.merged.extend(sources)
