"""How the demo looks: what a frame shows at which width, what is printed where there is no terminal."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.text import Text

from connector.demo.board import Line, News, Shown
from connector.demo.screen import DATES, Lines, Screen, picture, summary
from mappings.source import Source
from mappings.vocabulary import CANONICAL, Vocabulary, load_vocabulary, vocabulary_text

NOW_MS = 1_799_053_200_000  # Monday, 2027-01-04T09:00:00Z
LINES = [
    Line("Ann", "distributed", None, 2, 64, Shown("distributed", "Open"), Shown("nurture", "lead"), NOW_MS,
         "handed to Kim"),
    Line("Bruno", "closed", "lost", 1, 58, Shown("closed", "Contact"), Shown("closed", "opp."), NOW_MS,
         "lost"),
    Line("Chen", "mql", None, 1, 40, Shown(None, "Open"), Shown("mql", "MQL"), NOW_MS, "[red]demo[/red]"),
    Line("Liam"),
]  # fmt: skip
NAMES = [line.name for line in LINES]
FIGURES = {
    "leads": 3,
    "stages": {"mql": 1, "distributed": 1, "closed": 1},
    "moves": 12,
    "rejections": {"timing": 1},
    "agreement": {
        "salesforce": {"agree": 3, "of": 3, "percent": 100},
        "hubspot": {"agree": 2, "of": 3, "percent": 66.67},
    },
    "disagreeing": {"hubspot": {"hubspot:contacts:1": "shows 'nurture', is 'mql'"}},
    "holds": {"owner_unknown": 1},
    "requests": {"salesforce": 7, "hubspot": 9},
    "startup_requests": 10,
    "simulated_days": 63,
    "seconds": 25.0,
}


def drawn(width: int, vocabulary: Vocabulary = CANONICAL) -> list[str]:
    console = Console(file=io.StringIO(), width=width, record=True)
    console.print(picture(NOW_MS, LINES, Text("The act"), width, vocabulary))
    return console.export_text().splitlines()


def test_a_frame_shows_the_date_the_act_and_the_three_systems_side_by_side() -> None:
    text = drawn(140)
    assert text[0].startswith("leadloop  │  Mon 04 Jan 2027  09:00")
    assert text[1].startswith("The act")
    assert text[3].split() == [
        "lead", "leadloop", "cycle", "score", "Salesforce", "HubSpot", "when", "last", "event",
    ]  # fmt: skip
    ann = next(line for line in text if "Ann" in line)
    assert ann.split() == [
        "Ann", "distributed", "2", "64", "✓", "distributed", "Open", "…", "nurture", "lead", "04", "Jan",
        "handed", "to", "Kim",
    ]  # fmt: skip


def test_a_platform_that_lags_behind_is_told_from_one_that_agrees() -> None:
    text = drawn(140)
    assert "✓ distributed" in next(line for line in text if "Ann" in line)
    assert "… nurture" in next(line for line in text if "Ann" in line)
    assert "… new" in next(line for line in text if "Chen" in line)
    assert next(line for line in text if "Liam" in line).split() == ["Liam", "—", "—", "—"]


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
def test_no_line_is_wider_than_the_terminal_and_every_lead_has_one(width: int) -> None:
    text = drawn(width)
    assert max(len(line) for line in text) <= width
    rows = [line for line in text if line.split()[:1] and line.split()[0] in NAMES]
    assert [line.split()[0] for line in rows] == NAMES
    assert "closed lost" in rows[1]
    assert ("04 Jan" in rows[0]) == (width >= DATES)


def words(name: str) -> Vocabulary:
    return load_vocabulary(Source(f"{name}.yaml", vocabulary_text(name)))


def test_stages_have_the_labels_of_the_team() -> None:
    rows = {line.split()[0]: line for line in drawn(140, words("demand-waterfall")) if line.split()}
    assert rows["Ann"].count("MQL, assigned") == 2
    assert "✓ MQL, assigned" in rows["Ann"]
    assert "… Nurture" in rows["Ann"]
    assert "Closed/Lost" in rows["Bruno"]
    assert "distributed" not in rows["Ann"]


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("name", ["demand-waterfall", "hubspot-lifecycle", "seven-stages"])
def test_long_labels_are_cut_and_leave_the_columns_in_line(width: int, name: str) -> None:
    text = drawn(width, words(name))
    assert max(len(line) for line in text) <= width
    head = next(line for line in text if "Salesforce" in line)
    starts = [head.index(title) for title in ("Salesforce", "HubSpot", "last event")]
    ann = next(line for line in text if "Ann" in line)
    assert [ann[at] for at in starts[:2]] == ["✓", "…"]
    assert ann[starts[2] :].startswith("handed to Kim")
    label = words(name).shown("distributed")
    assert (label in ann) == (name != "hubspot-lifecycle" and (width > 80 or len(label) <= 12))
    assert ("…" in ann[: starts[1]]) == (label not in ann)


def test_the_summary_counts_leads_by_the_labels() -> None:
    console = Console(file=io.StringIO(), width=120, record=True)
    console.print(summary(FIGURES, words("demand-waterfall")))
    assert "1 MQL, 1 MQL, assigned, 1 Closed" in console.export_text()


def test_what_a_lead_wrote_is_never_read_as_markup() -> None:
    assert any("[red]demo[/red]" in line for line in drawn(160))


def test_a_terminal_keeps_the_last_picture() -> None:
    file = io.StringIO()
    console = Console(file=file, width=120, force_terminal=True, color_system=None)
    with Screen(console) as screen:
        screen.act(1, 2, NOW_MS, "First act")
        screen.frame(NOW_MS, LINES[:1], [])
        screen.frame(NOW_MS, LINES, [])
    last = file.getvalue()[file.getvalue().rindex("leadloop  │") :]
    assert [name for name in NAMES if name in last] == NAMES
    assert "First act" not in last


def test_without_a_terminal_every_event_is_one_plain_line() -> None:
    file = io.StringIO()
    with Lines(Console(file=file, width=40)) as lines:
        lines.act(3, 17, NOW_MS, "A caption that is a good deal longer than the forty columns of it")
        lines.frame(NOW_MS, LINES, [News("Ann", NOW_MS, "→ mql (mql gate)", "mql gate")])
    assert file.getvalue().splitlines() == [
        "2027-01-04 09:00  3/17 A caption that is a good deal longer than the forty columns of it",
        "2027-01-04 09:00    Ann → mql (mql gate)",
    ]


def test_the_summary_names_what_disagrees_and_what_waits() -> None:
    console = Console(file=io.StringIO(), width=120, record=True)
    console.print(summary(FIGURES))
    text = console.export_text()
    assert "3 of 3 records agree with leadloop" in text
    assert "2 of 3 records agree with leadloop" in text
    assert "hubspot:contacts:1: shows 'nurture', is 'mql'" in text
    assert "1 owner_unknown" in text
    assert "Salesforce 7, HubSpot 9, and 10 to begin with" in text
