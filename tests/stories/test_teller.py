"""The teller of stories: every wrong expectation fails, every mistake is told, with its line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mappings.problems import ConfigErrors
from mappings.source import Source
from tests.stories.document import story_from
from tests.stories.teller import StoryFailed, tell

SMALL = """\
story: Ann comes by a form
queues: [Inbound Leads]
sales:
  Sam: sam@sales.example
leads:
  Ann: {email: ann@acme.example, last_name: Lee, title: VP Sales, company: Acme, country: US}
happens:
  - at: Mon 2027-01-04 09:00
    hubspot:
      - Ann fills in the form "Newsletter"
    then:
      hubspot:
        Ann: {leadloop_stage: nurture}
      salesforce:
        Ann: not there
"""


Play = Callable[..., None]


@pytest.fixture
def play(tmp_path: Path, sqlite_url: str) -> Play:
    """Plays the small story with texts put in place of others: one, its replacement, one, its replacement."""

    def played(*changes: str) -> None:
        text = SMALL
        for old, new in zip(changes[::2], changes[1::2], strict=True):
            assert old in text
            text = text.replace(old, new)
        tell(story_from(Source("small.yaml", text)), tmp_path, sqlite_url)

    return played


def test_a_story_that_is_true_passes(play: Play) -> None:
    play()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "leadloop_stage: nurture",
            "leadloop_stage: mql",
            'small.yaml:13: HubSpot shows "nurture" as leadloop_stage of Ann; the story says "mql"',
        ),
        (
            "leadloop_stage: nurture",
            "leadloop_cycle: {at_least: 2}",
            'small.yaml:13: HubSpot shows "1" as leadloop_cycle of Ann; the story says at least "2"',
        ),
        (
            "leadloop_stage: nurture",
            "lastname: blank",
            'small.yaml:13: HubSpot shows "Lee" as lastname of Ann; the story says nothing',
        ),
        (
            "leadloop_stage: nurture",
            "leadloop_stage_since: Mon 2027-01-04 10:00",
            "small.yaml:13: HubSpot shows Mon 2027-01-04 09:01 as leadloop_stage_since of Ann; "
            'the story says "Mon 2027-01-04 10:00"',
        ),
        (
            "leadloop_stage: nurture",
            "leadloop_stge: nurture",
            'small.yaml:13: HubSpot shows no "leadloop_stge" of Ann; did you mean "leadloop_stage"?',
        ),
        (
            "{leadloop_stage: nurture}",
            "not there",
            "small.yaml:13: HubSpot shows: Ann is there; the story says that it is not there",
        ),
        (
            "Ann: not there",
            "Ann: {Status: Open}",
            "small.yaml:15: Salesforce shows: Ann is not there; the story says that it is",
        ),
        (
            "Ann: not there",
            "Ann: not there\n      moves: {Ann: [nurture → mql]}",
            "small.yaml:16: the moves of Ann are: → inquiry, created (hubspot); inquiry → qualification,",
        ),
        (
            "Ann: not there",
            "Ann: not there\n      holds: {Ann: [{owner_unknown: reload}]}",
            'small.yaml:16: Ann has no hold owner_unknown that says "reload"; its holds: none',
        ),
        (
            "Ann: not there",
            "Ann: not there\n      explain: {Ann: [gate mql passed]}",
            'small.yaml:16: leadloop explain does not say "gate mql passed" but: Lead L',
        ),
        (
            "Ann: not there",
            "Ann: not there\n      prints: {holds: [owner_unknown]}",
            'small.yaml:16: "leadloop holds" does not print "owner_unknown" but: Nothing is held.',
        ),
        (
            "Ann: not there",
            "Ann: not there\n      prints: {explain ben: []}",
            'small.yaml:16: "leadloop explain ben" fails: it ends with 1: No lead is known',
        ),
        (
            "Ann: not there",
            "Ann: not there\n      leadloop: {Ann: {score.fit: 0}}",
            'small.yaml:16: leadloop says "35" as score.fit of Ann; the story says "0"',
        ),
    ],
)
def test_what_is_not_as_the_story_says_fails_it_with_the_line_and_both_values(
    play: Play,
    old: str,
    new: str,
    told: str,
) -> None:
    with pytest.raises(StoryFailed) as failed:
        play(old, new)
    assert told in str(failed.value)
    assert "On Mon 2027-01-04 09:" in str(failed.value)


def test_a_story_that_fails_tells_what_leadloop_has_done_with_the_lead(play: Play) -> None:
    with pytest.raises(StoryFailed, match="What leadloop has done:\n  Ann: → inquiry, created"):
        play("leadloop_stage: nurture", "leadloop_stage: mql")


def test_a_hold_that_the_story_does_not_tell_of_fails_it(play: Play) -> None:
    with pytest.raises(StoryFailed, match="Ann has a hold that the story does not tell of: owner_unknown"):
        play("queues: [Inbound Leads]", "queues: []", "Newsletter", "Request a demo")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("happens:", "happenz:", 'small.yaml:7:1: unknown key "happenz"; did you mean "happens"?'),
        ("    then:", "    than:", 'unknown key "than"; did you mean "then"?'),
        ("Mon 2027-01-04", "Tue 2027-01-04", "small.yaml:8:9: 2027-01-04 is a Mon, not a Tue"),
        ("Mon 2027-01-04 09:00", "Monday", 'small.yaml:8:9: "Monday" is no moment; write it like this'),
        ("at: Mon 2027-01-04 09:00", "after: 1 day", "small.yaml:8:12: the first step needs at: (a moment)"),
        (
            "at: Mon 2027-01-04 09:00",
            "at: Mon 2027-01-04 09:00\n    after: 1 day",
            "either at: (a moment) or",
        ),
        (
            "Ann fills in the form",
            "Ann fills the form",
            'small.yaml:10:9: nobody here knows how to do "Ann fills the form "Newsletter""; nearest: '
            '"{lead} fills in the form "{form}""',
        ),
        ("- Ann fills", "- Anna fills", 'small.yaml:10:9: the story has no lead "Anna"; did you mean "Ann"?'),
        (
            "        Ann: {lead",
            "        Amn: {lead",
            'small.yaml:13:14: the story has no lead "Amn"; did you',
        ),
        (
            '- Ann fills in the form "Newsletter"',
            "- Ann visits the website: {page: 1}",
            'small.yaml:10:9: "Ann visits the website" takes no fields',
        ),
        (
            '- Ann fills in the form "Newsletter"',
            "- marketing edits Ann",
            'small.yaml:10:9: "marketing edits Ann" needs the fields that are filled in',
        ),
        ("{leadloop_stage: nurture}", "nurture", 'fields with their values, or "not there"'),
        ("leadloop_stage: nurture", "leadloop_stage: {is: nurture}", "is another value, or one of contains"),
        ("queues:", "time_zone: Berlin\nqueues:", 'there is no time zone "Berlin"'),
        ("Sam: sam@", "Ann: sam@", "Ann is the name of a salesperson and of a lead"),
        (
            "queues:",
            "configuration:\n  rules:\n    gates:\n      mql: {fot: 20}\nqueues:",
            'small.yaml:5:13: unknown key "fot"; did you mean "fit"?',
        ),
    ],
)
def test_a_mistake_in_a_story_is_told_with_its_line_and_column(
    play: Play,
    old: str,
    new: str,
    told: str,
) -> None:
    with pytest.raises(ConfigErrors) as failed:
        play(old, new)
    assert told in str(failed.value)


def test_what_a_platform_refuses_is_told_with_the_line(play: Play) -> None:
    with pytest.raises(
        StoryFailed, match=r'small.yaml:10: "marketing edits Ann" cannot be done: Ann is not in'
    ):
        play('- Ann fills in the form "Newsletter"', "- marketing edits Ann: {lastname: Li}")


def test_a_command_that_fails_is_told_with_the_line(play: Play) -> None:
    with pytest.raises(
        StoryFailed, match=r'small.yaml:11: "leadloop holds release ann@acme.example" cannot be'
    ):
        play("    then:", "    leadloop: [holds release ann@acme.example]\n    then:")
