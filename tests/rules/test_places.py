"""Places: a mistake inside a condition is told at its very word, however YAML has the text written."""

from __future__ import annotations

import pytest

from mappings.source import Source, parse
from rules.places import place_in_scalar


@pytest.mark.parametrize(
    "text",
    [
        "w: a\n  b HERE\n",
        "w: a\n\n  b\n  HERE\n",
        'w: "a\n  b HERE"\n',
        "w: 'it''s\n  b HERE'\n",
        'w: "\\u00e9\n\n  \\"b\\" HERE"\n',
        "w: &a HERE\n",
        "w: !!str 'a HERE'\n",
        "w: &a\n  b HERE\n",
        "w: |\n\n  a\n  HERE\n",
        "w: >\n  a\n\n  HERE\n",
        "w: >-\n  a\n    b\n\n  c HERE\n",
        "w: &a >\n  a\n  HERE\n",
        "w: |\r\n  a\r\n  HERE\r\n",
    ],
)
def test_a_word_is_found_where_it_stands(text: str) -> None:
    document = parse(Source("rules.yaml", text))
    lines = text.splitlines()
    line = next(number for number, content in enumerate(lines, 1) if "HERE" in content)
    place = place_in_scalar(text, *document.place(("w",)), document.data["w"].index("HERE"))
    assert place == (line, lines[line - 1].index("HERE") + 1)


@pytest.mark.parametrize("text", ["w: |2\n    a\n   HERE\n", 'w: "a\\\n  b HERE"\n'])
def test_where_a_word_cannot_be_told_the_text_itself_is(text: str) -> None:
    document = parse(Source("rules.yaml", text))
    place = place_in_scalar(text, *document.place(("w",)), document.data["w"].index("HERE"))
    assert place == (1, 4)
