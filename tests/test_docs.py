"""What the documents name is there: pictures, the program that takes them, and other documents."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCS = sorted((ROOT / "docs").glob("*.md"))
GUIDES = [ROOT / "docs" / f"guide-{name}.md" for name in ("developers", "providers")]
PICTURES = ROOT / "docs" / "images" / "guide"
TAKES = {"take", "take_dark", "take_phone"}


def headings(document: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a document."""
    text = re.sub(r"^```.*?^```", "", document.read_text(), flags=re.MULTILINE | re.DOTALL)
    found = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in found}


def links(document: Path) -> list[str]:
    """Targets of links and pictures that lead to files here; code is no link."""
    text = re.sub(r"^ *```.*?^ *```|`[^`\n]*`", "", document.read_text(), flags=re.MULTILINE | re.DOTALL)
    found = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'src="([^"]+)"', text)
    return [each for each in found if not re.match(r"[a-z]+:", each)]


def pictures(guide: Path) -> list[str]:
    return re.findall(r"images/guide/([\w-]+\.webp)", guide.read_text())


def taken() -> Iterator[str]:
    """The names of the pictures that `python -m tests.screenshots` takes, read from its code."""
    for file in (ROOT / "tests" / "screenshots").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in TAKES
            ):
                name = node.args[1]
                if isinstance(name, ast.Constant):
                    yield f"{name.value}.webp"


@pytest.mark.parametrize("document", [ROOT / "README.md", *DOCS], ids=lambda each: each.name)
def test_links_of_a_document_lead_to_something(document: Path) -> None:
    for link in links(document):
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), link
        if anchor:
            assert anchor in headings(target), link


def test_the_program_takes_every_picture_of_the_guides_and_no_other() -> None:
    named = sorted(name for guide in GUIDES for name in pictures(guide))
    assert named == sorted(set(named))
    assert named == sorted(taken())
    assert named == sorted(file.name for file in PICTURES.iterdir())


def test_pictures_stay_small() -> None:
    sizes = {file.name: file.stat().st_size for file in PICTURES.iterdir()}
    assert {name: size for name, size in sizes.items() if size >= 90_000} == {}
    assert sum(sizes.values()) < 2_000_000
