"""Configuration: each mistake in leadloop.yaml is told at its line and column, with what would be right."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from connector.configuration import MAIN_FILE, load_configuration
from mappings.source import ConfigErrors

KINDS = "known: blanks, creates, handoff, mql, owner_changes, regressions"


def faults(folder: Path) -> list[str]:
    """What is wrong with a folder."""
    with pytest.raises(ConfigErrors) as caught:
        load_configuration(folder)
    return [str(error) for error in caught.value.errors]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("braek: {}", '1:1: unknown key "braek"; did you mean "brake"?'),
        ("[mappings]", "1:1: this must be a mapping (key: value), not a list"),
        ("hello", '1:1: this must be a mapping (key: value), not "hello"'),
        ("brake:\n", "1:7: this must be a mapping (key: value), not nothing"),
        ("brake:\n  window: 60", '2:3: unknown key "window"; did you mean "window_minutes"?'),
        ("brake:\n  window_minutes: 1h", '2:19: this must be a whole number, not "1h"'),
        ("brake:\n  window_minutes: 1.5", "2:19: this must be a whole number, not the number 1.5"),
        ("brake:\n  window_minutes: 0", "2:19: this must be at least 1, not the number 0"),
        ("brake:\n  window_minutes: 9999", "2:19: this must be at most 1440, not the number 9999"),
        ("brake:\n  limits: [mql]", "2:11: this must be a mapping (key: value), not a list"),
        (
            "brake:\n  limits:\n    mql: {share: 0.1, at_least: 5}\n    regresions: {share: 0, at_least: 5}",
            '4:5: "regresions" is no kind of change; did you mean "regressions"?',
        ),
        (
            "brake:\n  limits:\n    everything: {share: 0.1, at_least: 5}",
            f'3:5: "everything" is no kind of change; {KINDS}',
        ),
        ("brake:\n  limits:\n    mql: 5", "3:10: this must be a mapping (key: value), not the number 5"),
        ("brake:\n  limits:\n    mql: {share: 1}", '3:5: "at_least" is missing'),
        (
            "brake:\n  limits:\n    mql: {share: 5%, at_least: 5}",
            '3:18: this must be a number, not "5%"',
        ),
        (
            "brake:\n  limits:\n    mql: {share: 5, at_least: 5}",
            "3:18: this must be at most 1, not the number 5",
        ),
        (
            "brake:\n  limits:\n    mql: {share: 1, at_least: -5}",
            "3:31: this must be at least 0, not the number -5",
        ),
        (
            "brake:\n  limits:\n    mql: {share: 1, at_leas: 5, at_least: 5}",
            '3:21: unknown key "at_leas"; did you mean "at_least"?',
        ),
        ("mappings: preset:lead", '1:11: this must be a list, not "preset:lead"'),
        ("mappings: []", "1:11: this must not be empty"),
        ("rules: [5]", "1:9: this must be a text, not the number 5; put it in quotes"),
        (
            "mappings:\n  - preset:lead\n  - preset:salesforc",
            '3:5: there is no mappings preset "preset:salesforc"; did you mean "preset:salesforce"?',
        ),
        (
            "rules: [preset:lead]",
            '1:9: there is no rules preset "preset:lead"; did you mean "preset:default"?',
        ),
        (
            "rules: [preset:default, preset:default]",
            '1:25: "preset:default" is listed twice',
        ),
        ("rules:\n- mine.yaml", '2:3: "mine.yaml" cannot be read: No such file or directory'),
        ("rules:\n- .", '2:3: "." cannot be read: Is a directory'),
        ("rules:\n- latin.yaml", '2:3: "latin.yaml" is not UTF-8 (byte 3); save it as UTF-8'),
        ("read_before_handoff: yes", '1:22: this must be true or false, not "yes"'),
    ],
)
def test_a_mistake_in_leadloop_yaml_is_told_at_its_place(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / MAIN_FILE).write_text(text, encoding="utf-8")
    (tmp_path / "latin.yaml").write_bytes(b"caf\xe9: 1")

    assert faults(tmp_path) == [f"{MAIN_FILE}:{said}"]


def test_all_unknown_kinds_and_all_documents_that_are_not_there_are_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / MAIN_FILE
    file.write_text("brake: {limits: {mqls: {share: 0, at_least: 1}, blank: {share: 0, at_least: 1}}}")
    assert [fault.partition(";")[2] for fault in faults(tmp_path)] == [
        ' did you mean "mql"?',
        ' did you mean "blanks"?',
    ]

    file.write_text("mappings: [a.yaml, preset:b]\nrules: [c.yaml]")
    assert [fault.split(" ")[0] for fault in faults(tmp_path)] == [
        f"{MAIN_FILE}:{place}:" for place in ("1:12", "1:20", "2:9")
    ]


def _folder(path: Path) -> None:
    path.mkdir()


def _loose_link(path: Path) -> None:
    path.symlink_to("nowhere")


def _no_text(path: Path) -> None:
    path.write_bytes(b"\xff\xfe")


MADE = {
    "Is a directory": _folder,
    "No such file or directory": _loose_link,
    "is not UTF-8 (byte 0); save it as UTF-8": _no_text,
}


@pytest.mark.parametrize("said", MADE)
def test_a_leadloop_yaml_that_cannot_be_read_is_not_taken_for_none(tmp_path: Path, said: str) -> None:
    MADE[said](tmp_path / MAIN_FILE)

    (fault,) = faults(tmp_path)

    assert fault.startswith(f"{MAIN_FILE}:1:1: this file ")
    assert fault.endswith(said)


LAYOUTS: Mapping[str, str] = {"nothing": "", "a comment": "# later\n", "a blank section": "settings:\n"}


@pytest.mark.parametrize("text", LAYOUTS.values(), ids=LAYOUTS)
def test_a_leadloop_yaml_that_says_nothing_is_the_shipped_configuration(tmp_path: Path, text: str) -> None:
    (tmp_path / MAIN_FILE).write_text(text, encoding="utf-8")

    found, shipped = load_configuration(tmp_path), load_configuration(None)

    assert (found.brake, found.rules.reasons) == (shipped.brake, shipped.rules.reasons)
    assert dict(found.mapping.fields) == dict(shipped.mapping.fields)


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / MAIN_FILE).write_bytes(b"\xef\xbb\xbfread_before_handoff: true\n")

    assert load_configuration(tmp_path).read_before_handoff
