"""The tables of docs/benchmarks.md: each benchmark replaces its own section."""

import os
import platform
import re
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
INTRODUCTION = """# Benchmarks

Made by `make bench`. Each table is of one run on one machine; compare the ratios, not the figures of two machines.
"""


@dataclass(frozen=True)
class Table:
    """A section of the page."""

    heading: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    note: str

    def text(self) -> str:
        """The section as Markdown."""
        lines = [self.columns, tuple("---" for _ in self.columns), *self.rows]
        table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
        machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}"
        return f"## {self.heading}\n\n{table}\n\n{self.note} Machine: {machine}.\n"


def write(table: Table, page: Path = PAGE) -> None:
    """Put the table's section into the page, in the place of its older self."""
    text = page.read_text() if page.exists() else INTRODUCTION
    section = re.compile(rf"## {re.escape(table.heading)}\n.*?(?=\n## |\Z)", re.DOTALL)
    older = section.search(text)
    text = section.sub(lambda _: table.text(), text) if older else f"{text.rstrip()}\n\n{table.text()}"
    page.write_text(text)
