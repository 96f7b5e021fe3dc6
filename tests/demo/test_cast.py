"""The cast's storyline: what its people do leads where the script's captions say, on both platforms."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connector.demo import cast
from connector.demo.board import Shown
from connector.demo.figures import holds_of, moves_of, rejections_of, stages_of
from connector.worker.passes import run_until_quiet
from mappings.stages import Stage
from tests.demo.stage import Performance, performed


@pytest.fixture(scope="module")
def play() -> Iterator[Performance]:
    with performed() as shown:
        yield shown


def contact(play: Performance, name: str) -> dict[str, str | None]:
    email = next(each.email for each in cast.CAST if each.name == name)
    return next(row for row in play.sandbox.hubspot.rows("contacts") if row["email"] == email)


def test_both_platforms_agree_with_leadloop_on_every_lead(play: Performance) -> None:
    found = play.agreement()
    assert {side: each.disagreeing for side, each in found.items()} == {"salesforce": {}, "hubspot": {}}
    assert (found["hubspot"].of, found["salesforce"].of) == (len(cast.CAST), 10)
    assert holds_of(play.connected.installation) == {}


def test_a_rejected_lead_is_back_in_nurture_on_both_platforms_with_its_reason(play: Performance) -> None:
    ann = play.after(cast.first_verdicts, "Ann")
    assert (ann.stage, ann.cycle) == ("nurture", 2)
    assert ann.salesforce == Shown("nurture", "Closed")
    assert ann.hubspot == Shown("nurture", "lead")
    assert ann.last in ("rejected by Sam: timing", "rejected by Kim: timing")
    told = contact(play, "Ann")
    assert told["leadloop_rejection_reason"] == "timing"
    assert told["leadloop_rejection_comment"] == "The budget for it comes next quarter"


def test_a_rejected_lead_is_not_offered_again_before_its_rest_is_over(play: Performance) -> None:
    assert play.after(cast.too_early, "Ann").stage == "nurture"


def test_the_same_lead_is_a_better_mql_the_second_time_and_is_won(play: Performance) -> None:
    first, second = play.after(cast.interest, "Ann"), play.after(cast.better_than_before, "Ann")
    assert first.stage == second.stage == "distributed"
    assert second.score > first.score
    assert second.salesforce == Shown("distributed", "Open")
    line = [play.after(act, "Ann").stage for act in (cast.second_chance, cast.sales_qualified, cast.offer)]
    assert line == ["accepted", "qualified", "opportunity"]
    last = play.after(cast.signature, "Ann")
    assert (last.stage, last.outcome, last.cycle) == ("closed", "won", 2)
    assert last.salesforce == Shown("closed", "Contact")
    assert last.hubspot == Shown("closed", "customer")


def test_one_address_in_both_systems_is_one_lead(play: Performance) -> None:
    lead = next(row for row in play.sandbox.salesforce.rows("Lead") if row["LastName"] == "Rossi")
    assert lead["Email"] == "GINA@ROSSI.EXAMPLE", "the same address, in the spelling of the list"
    assert contact(play, "Gina")["leadloop_id"] == lead["Leadloop_Id__c"] == play.state("Gina").lead_id


def test_odd_data_arrives_as_far_as_each_platform_takes_it(play: Performance) -> None:
    told, lead = contact(play, "Fatima"), play.sandbox.salesforce.query(
        "SELECT FirstName, LastName, Company FROM Lead WHERE Email = 'fatima@nour.example'"
    )[0]  # fmt: skip
    fatima = next(each for each in cast.CAST if each.name == "Fatima")
    assert len(fatima.last_name) > 250
    assert told["lastname"] == fatima.last_name
    assert lead["LastName"] == fatima.last_name[:80].rstrip()
    assert lead["FirstName"] == told["firstname"] == "فاطمة"
    assert lead["Company"] == told["company"] == "<b>Nour</b> & Söhne 🦋"


def test_the_wrong_territory_goes_to_somebody_else_in_the_same_cycle(play: Performance) -> None:
    before, after = play.after(cast.more_leads, "Henry"), play.after(cast.wrong_territory, "Henry")
    assert (after.stage, after.cycle) == ("distributed", 1)
    assert before.last.startswith("handed to ")
    assert after.last.startswith("handed to ")
    assert before.last != after.last


def test_a_reason_that_was_asked_for_is_the_one_that_counts(play: Performance) -> None:
    assert play.after(cast.wrong_territory, "Ines").stage == "distributed"
    ines = play.after(cast.reason_wanted, "Ines")
    assert ines.stage == "disqualified"
    assert contact(play, "Ines")["leadloop_rejection_reason"] == "bad_data"


def test_a_conversion_by_sales_is_a_fact_from_whatever_stage(play: Performance) -> None:
    jonas = next(row for row in play.moves("Jonas") if row.cause == "fact")
    assert (jonas.origin, jonas.target) == ("nurture", "opportunity")
    assert jonas.skipped == ("mql", "distributed", "accepted", "qualified")


def test_a_competitor_never_reaches_sales(play: Performance) -> None:
    emre = play.after(cast.signature, "Emre")
    assert (emre.stage, emre.salesforce) == ("disqualified", None)


def test_the_cast_visits_every_stage_and_both_outcomes(play: Performance) -> None:
    rows = [row for each in cast.CAST for row in play.moves(each.name)]
    assert {row.target for row in rows} == {stage.value for stage in Stage}
    assert {row.outcome for row in rows} >= {"won", "lost"}


def test_the_figures_count_what_happened(play: Performance) -> None:
    installation = play.connected.installation
    assert rejections_of(installation) == {"timing": 1, "wrong_territory": 1, "bad_data": 1}
    assert stages_of(installation) == {
        "nurture": 2, "distributed": 1, "accepted": 2, "qualified": 1, "opportunity": 1, "closed": 3,
        "disqualified": 2,
    }  # fmt: skip
    told = sum(1 for item in play.news if item.text.startswith("→") and "new, from" not in item.text)
    assert moves_of(installation) == told


def test_nothing_is_written_once_the_curtain_has_fallen(play: Performance) -> None:
    play.clock.advance(60)
    assert run_until_quiet(play.connected.installation, 60.0).written == 0
