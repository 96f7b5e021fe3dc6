"""`leadloop demo` as it is typed: the whole performance in threads, its exit codes, and Ctrl-C."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from connector.clock import DAY_MS
from connector.demo import cast
from connector.demo.cast import CAST, Act
from connector.demo.people import People
from connector.demo.play import leap_to_ms
from tests.cli.live import command, surroundings
from tests.cli.shell import Shell


def ann_arrives(they: People) -> None:
    """Ann fills in a form."""
    they.fills_in("Ann", "Newsletter")


def ann_is_interested(they: People) -> None:
    """Ann comes back."""
    they.fills_in("Ann", "ROI calculator")


def ann_is_rejected(they: People) -> None:
    """Sales rejects Ann for 30 days."""
    they.is_rejected("Ann", "timing")


def ann_is_bewitched(they: People) -> None:
    """HubSpot will not have anything written to Ann's contact from now on."""
    they.fills_in("Ann", "Newsletter")
    they.portal.faults.bad_record("contacts", "email", "ann@acme.example", "FORM_FIELD_REQUIRED")


def nobody_is_there(they: People) -> None:
    """Somebody rejects Ann, who has never arrived."""
    they.is_rejected("Ann", "timing")


def test_the_whole_performance_ends_with_0_and_its_figures(shell: Shell) -> None:
    answer = shell("demo", "--json")
    figures = answer.json
    assert answer.code == 0
    assert figures["leads"] == len(CAST)
    assert figures["agreement"] == {
        "salesforce": {"agree": 10, "of": 10, "percent": 100},
        "hubspot": {"agree": 12, "of": 12, "percent": 100},
    }
    assert figures["stages"] == {
        "nurture": 2, "distributed": 1, "accepted": 2, "qualified": 1, "opportunity": 1, "closed": 3,
        "disqualified": 2,
    }  # fmt: skip
    assert figures["rejections"] == {"timing": 1, "wrong_territory": 1, "bad_data": 1}
    assert figures["holds"] == {}
    assert figures["startup_requests"] <= 20
    assert "unfinished" not in figures
    assert "disagreeing" not in figures


def test_without_a_terminal_acts_and_moves_are_lines_and_the_summary_is_last(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cast, "SCRIPT", (Act(0, 9, ann_arrives),))
    answer = shell("demo")
    told = [line[18:] for line in answer.out.splitlines() if line.startswith("2027-01-04 09:")]
    assert answer.code == 0
    assert told == [
        "1/1 Ann fills in a form.",
        "  Ann fills in the form “Newsletter”",
        "  Ann → inquiry (new, from HubSpot)",
        "  Ann → qualification (qualification gate)",
        "  Ann → nurture (nurture gate)",
    ]
    assert "1 of 1 records agree with leadloop" in answer.out


def test_stages_have_the_labels_of_the_vocabulary_of_the_folder(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shell.folder / "leadloop.yaml").write_text("vocabulary: demand-waterfall\n", encoding="utf-8")
    monkeypatch.setattr(cast, "SCRIPT", (Act(0, 9, ann_arrives),))
    answer = shell("demo")
    assert answer.code == 0
    assert [line[18:] for line in answer.out.splitlines() if "→" in line] == [
        "  Ann → Inquiry (new, from HubSpot)",
        "  Ann → Inquiry, in qualification (qualification gate)",
        "  Ann → Nurture (nurture gate)",
    ]
    assert "1:  1 Nurture" in answer.out


def test_what_falls_due_between_two_acts_happens_in_its_moment(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    acts = (
        *(Act(0, 9, ann_arrives), Act(1, 10, ann_is_interested), Act(2, 13, ann_is_rejected)),
        *(Act(24, 9, cast.too_early), Act(36, 10, cast.second_chance)),
    )
    monkeypatch.setattr(cast, "SCRIPT", acts)
    answer = shell("demo")
    assert answer.code == 0
    moved = [line[:16] for line in answer.out.splitlines() if "Ann → mql" in line]
    assert [at[:15] for at in moved] == ["2027-01-05 10:0", "2027-02-05 13:0"], "30 days after the rejection"


@pytest.mark.parametrize(
    ("due_days", "end_days"),
    [(None, 2), (1, 1), (3, 2), (0, 2), (-1, 2)],
)
def test_a_leap_ends_where_something_falls_due_and_after_two_days(
    due_days: int | None, end_days: int
) -> None:
    due_ms = None if due_days is None else 10 * DAY_MS + due_days * DAY_MS
    assert leap_to_ms(10 * DAY_MS, 20 * DAY_MS, due_ms) == (10 + end_days) * DAY_MS
    assert leap_to_ms(10 * DAY_MS, 10 * DAY_MS + 5, due_ms) == 10 * DAY_MS + 5


def test_a_platform_that_disagrees_ends_with_1_and_is_named(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cast, "SCRIPT", (Act(0, 9, ann_is_bewitched),))
    answer = shell("demo", "--json")
    assert answer.code == 1
    assert answer.json["agreement"]["hubspot"]["agree"] == 0
    (wrong,) = answer.json["disagreeing"]["hubspot"].values()
    assert wrong == "shows None, is 'nurture'"


def test_a_story_that_cannot_go_on_says_where(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cast, "SCRIPT", (Act(0, 9, nobody_is_there),))
    answer = shell("demo", "--json")
    assert answer.code == 1
    assert answer.out == ""
    assert "Act 1 (Somebody rejects Ann, who has never arrived.) cannot go on" in answer.err
    assert "Ann is not an open Lead in Salesforce" in answer.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    environment = surroundings({"TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"})
    with subprocess.Popen(
        command("demo"), env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as demo:
        assert demo.stdout is not None
        assert "1/17" in demo.stdout.readline()
        demo.send_signal(number)
        _, told = demo.communicate(timeout=60)
    assert demo.returncode == 130
    assert told == "Stopped; nothing is left behind.\n"
    assert list(tmp_path.iterdir()) == []
