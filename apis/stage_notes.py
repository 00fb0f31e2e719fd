"""What rooms above know of a stage, for its page in the admin console.

This room cannot ask them, so they register a function here when they start.
"""

from collections.abc import Callable, Iterator

from apis.models import Stage

Notes = Callable[[Stage], list[tuple[str, str]]]
_known: list[Notes] = []


def register(notes: Notes) -> None:
    """Add a function that returns (title, text) lines about a stage."""
    if notes not in _known:
        _known.append(notes)


def notes_of(stage: Stage) -> Iterator[tuple[str, str]]:
    """Yield the lines of everybody who registered."""
    for notes in _known:
        yield from notes(stage)
