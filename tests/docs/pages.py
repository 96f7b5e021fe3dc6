"""Pages: the Markdown that users and contributors read, cut into what the tests look at. Reads files only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "deploy/**/*.md", "mappings/*.md", "rules/*.md")
    for path in ROOT.glob(pattern)
)

_FENCE = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A fenced block of code: its language ('' when it names none), its text, its first line's number."""

    language: str
    text: str
    line: int


def name_of(page: Path) -> str:
    """The page's path as the documentation calls it."""
    return page.relative_to(ROOT).as_posix()


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def blocks_of(text: str) -> Iterator[Block]:
    """The fenced blocks of a page, without their indentation."""
    for found in _FENCE.finditer(text):
        indent, language, body = found.groups()
        line = text.count("\n", 0, found.start(3)) + 1
        yield Block(language, re.sub(rf"^{indent}", "", body, flags=re.MULTILINE), line)


def prose_of(text: str) -> str:
    """The page without its fenced blocks."""
    return _FENCE.sub("", text)


def snippets_of(text: str) -> Iterator[str]:
    """All that is set as code: the lines of fenced blocks, and what stands between backticks."""
    for block in blocks_of(text):
        if block.language != "yaml":
            yield from block.text.splitlines()
    yield from re.findall(r"`([^`\n]+)`", prose_of(text))


def anchors_of(text: str) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", prose_of(text), re.MULTILINE)
    }
