"""What is wrong at this moment: logged when it starts and when it ends, told in every status report."""

import logging
import time
from dataclasses import dataclass, field

log = logging.getLogger("agent")


@dataclass(slots=True)
class Problem:
    """One thing that is wrong: its text and since when (Unix seconds)."""

    text: str
    since: float = field(default_factory=time.time)


class Problems:
    """The open problems, by name. A name is a short topic such as `control plane` or `entry key abc`."""

    def __init__(self) -> None:
        self._open: dict[str, Problem] = {}

    def report(self, name: str, text: str) -> None:
        """Note that `name` is wrong; a repeat only renews the text."""
        known = self._open.get(name)
        if known is None:
            self._open[name] = Problem(text)
            log.warning("%s: %s", name, text)
        else:
            known.text = text

    def clear(self, name: str) -> None:
        """Note that `name` is right again; does nothing when it was."""
        problem = self._open.pop(name, None)
        if problem is not None:
            log.info("%s: fine again after %.0f s", name, time.time() - problem.since)

    def clear_all(self, prefix: str) -> None:
        """Clear every problem whose name starts with `prefix`."""
        for name in [name for name in self._open if name.startswith(prefix)]:
            self.clear(name)

    def names(self) -> set[str]:
        """Return the names of the open problems."""
        return set(self._open)

    def report_list(self, limit: int = 50) -> list[dict[str, object]]:
        """Return at most `limit` problems as `{"name", "text", "since"}` for the status report."""
        return [
            {"name": name, "text": problem.text, "since": round(problem.since, 3)}
            for name, problem in list(self._open.items())[:limit]
        ]
