"""What `leadloop check` shows: each mistake with its line and a caret, and the cases that failed."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.cli.excerpt import excerpt
from tests.cli.shell import Shell

RULES = """\
score: {fit: [{rule: boss, when: 'contains(job_title, "boss")', points: 10}]}
gates: {qualification: {when: not is_blank(email)}, nurture: {}, mql: {fit: 10}}
routes: [{route: all, owner: sam@us.example}]
cases:
  - case: a boss
    lead: {email: a@b.example, job_title: boss}
    expect: {stage: mql, fired: [boss]}
"""


def write(folder: Path, rules: str = RULES, main: str = "rules: [rules.yaml]\n") -> None:
    (folder / "leadloop.yaml").write_text(main)
    (folder / "rules.yaml").write_text(rules)


def test_cases_are_run(shell: Shell, folder: Path) -> None:
    write(folder)

    answer = shell("check")

    assert answer.code == 0
    assert answer.out.endswith(", 1 case passed.\n")
    assert shell("check", "--json").json["cases"] == {"count": 1, "failed": []}


def test_a_failing_case_is_shown_with_its_line_and_what_fired(shell: Shell, folder: Path) -> None:
    write(folder, RULES.replace("stage: mql", "stage: nurture"))

    answer = shell("check")

    assert answer.code == 1
    assert answer.out == (
        "rules.yaml:7:21: a boss: expected stage nurture, found mql\n"
        "    7 |     expect: {stage: nurture, fired: [boss]}\n"
        "      |                     ^\n"
        "      = fired: boss +10\n"
    )
    assert answer.err == "1 of 1 case failed.\n"
    (failed,) = shell("check", "--json").json["cases"]["failed"]
    assert (failed["case"], failed["expected"], failed["found"]) == ("a boss", "stage nurture", "mql")
    assert (failed["line"], failed["column"], failed["fired"]) == (7, 21, ["boss +10"])


def test_mistakes_in_every_file_are_told_at_once(shell: Shell, folder: Path) -> None:
    write(
        folder,
        RULES.replace("points: 10}", "pints: 10}"),
        "mappings: [lead.yaml, preset:salesforce, preset:hubspot]\nrules: [rules.yaml]\n"
        "vocabulary: words.yaml\nsettings: {log_levle: info}\n",
    )
    (folder / "lead.yaml").write_text("fields: {email: {type: emial, policy: hubspot}}\n")
    (folder / "words.yaml").write_text("vocabulary: ours\nlabels: {mqll: MQL}\n")

    files = {error["file"] for error in shell("check", "--json").json["errors"]}

    assert files == {"leadloop.yaml", "lead.yaml", "rules.yaml", "words.yaml"}


def test_without_a_terminal_there_are_no_colours(shell: Shell, folder: Path) -> None:
    write(folder, RULES.replace("boss]", "bss]"))

    assert "\x1b" not in shell("check").out


def test_the_caret_stands_below_the_place() -> None:
    assert excerpt("a: 1\nbb: x y\n", 2, 7, 80) == ("    2 | bb: x y", "      |       ^")


def test_a_long_line_is_cut_around_the_place() -> None:
    line, caret = excerpt("x" * 500 + "HERE" + "y" * 500, 1, 501, 60) or ("", "")

    assert len(line) <= 60
    assert line[caret.index("^") :].startswith("HERE")
    assert line.startswith("    1 | …")
    assert line.endswith("…")


def test_control_characters_do_not_reach_the_terminal() -> None:
    line, caret = excerpt("a: \x1b[31mred\u202e\tb", 1, 5, 80) or ("", "")

    assert line == "    1 | a: �[31mred� b"
    assert line[caret.index("^")] == "["


def test_the_caret_stands_below_wide_characters() -> None:
    _, caret = excerpt("会社: x", 1, 5, 80) or ("", "")

    assert caret == "      |       ^"


@pytest.mark.parametrize(("line", "text"), [(9, "a: 1"), (1, ""), (0, "a"), (1, "   ")])
def test_where_there_is_no_line_none_is_shown(line: int, text: str) -> None:
    assert excerpt(text, line, 1, 80) is None
