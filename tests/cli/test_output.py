"""What is printed is fit for a terminal, whatever leads contain."""

from __future__ import annotations

import pytest

from connector.cli.output import Page, counted, iso, moment, plain, shown, span


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "—"),
        ("", ""),
        (True, "yes"),
        (False, "no"),
        (20.0, "20"),
        (20.5, "20.5"),
        (("a", "b"), "a, b"),
        ([], ""),
        (0, "0"),
    ],
)
def test_values_for_a_person(value: object, words: str) -> None:
    assert shown(value) == words


def test_text_that_steers_a_terminal_is_made_harmless() -> None:
    assert plain("a\x1b[31mb\x07\u202ec\u200ed\ne") == "a�[31mb��c�d⏎e"
    assert plain("שלום 😀 Ünal") == "שלום 😀 Ünal"
    assert plain("\ud800") == "�"


def test_markup_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    page = Page()
    page.heading("[red]Ann[/red]")
    page.line("[link=x]y")
    page.table([("[b]", ":smile:")])

    assert capsys.readouterr().out == "[red]Ann[/red]\n  [link=x]y\n  [b]  :smile:\n"


def test_long_lines_go_on_at_their_indent(capsys: pytest.CaptureFixture[str]) -> None:
    Page().line("word " * 40, indent=4)

    lines = capsys.readouterr().out.splitlines()

    assert len(lines) > 1
    assert all(line.startswith("    word") and len(line) <= 100 for line in lines)


def test_80_columns_are_enough_for_a_table_to_cut_no_word(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connector.cli.output.WIDTH", 80)
    names = ("stage", "first", "later", "skipped", "change", "went on", "there", "median", "9 in 10")
    stages = ("qualification", "disqualified", "distributed", "opportunity")
    Page().table(
        [
            (each, 223, 66, 75, "+289", "100 % (96–100 %)", 199, "under 1 min", "under 1 min")
            for each in stages
        ],
        names,
    )

    lines = capsys.readouterr().out.splitlines()

    assert max(map(len, lines)) <= 80
    assert "".join(lines).count("min") == 2 * len(stages), "nothing is left out at the right"
    assert [line.split()[0] for line in lines if line.startswith("  ") and line[2] != " "] == [
        "stage",
        *stages,
    ]


def test_where_the_words_do_not_fit_the_table_does(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connector.cli.output.WIDTH", 20)
    Page().table([("qualification", "disqualified", "ann@acme.example")])

    lines = capsys.readouterr().out.splitlines()

    assert max(map(len, lines)) <= 20
    assert sorted("".join(lines).replace(" ", "")) == sorted("qualificationdisqualifiedann@acme.example")


def test_moments_spans_and_counts() -> None:
    assert moment(1_800_000_000_000) == "2027-01-15 08:00:00"
    assert iso(1_800_000_000_999) == "2027-01-15T08:00:00Z"
    assert (moment(None), iso(None)) == ("—", None)
    assert [span(ms) for ms in (0, 1_000, 59_999, 3_600_000, 172_800_000)] == [
        "0 seconds",
        "1 second",
        "59 seconds",
        "1 hour",
        "2 days",
    ]
    assert (counted(1, "lead"), counted(2_000, "lead"), counted(0, "reply", "replies")) == (
        "1 lead",
        "2,000 leads",
        "0 replies",
    )
