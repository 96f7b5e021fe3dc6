"""From end to end: what people do on the platforms is sent over HTTP, taken, read, and decided."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from connector.intake.hints import Followed, follow_hints
from connector.intake.poll import start_cursors
from connector.observation import Observation, RecordKey
from connector.sandbox import HUBSPOT_CLIENT_SECRET
from connector.store.inbox import Hint, count_hints, put_hints
from connector.store.links import linked
from connector.store.observations import observations_by_key
from connector.worker.passes import Pass, act
from tests.webhooks.sending import PATH_SECRET, Post
from tests.world import World


@dataclass(slots=True)
class Told:
    """A world whose platforms tell leadloop of everything. leadloop does not look for itself here."""

    world: World
    reception: Post

    def follow(self, seconds: float = 1) -> Followed:
        """What happened is sent and taken, and its records are read."""
        assert all(200 <= status < 300 for status in self.world.sandbox.send())
        return self.read(seconds)

    def read(self, seconds: float = 1) -> Followed:
        """Read what lies in the inbox."""
        self.world.later(seconds=seconds)
        total = Followed()
        for side in self.world.leadloop.feeds:
            while (followed := follow_hints(self.world.leadloop, side)).taken:
                for name in Followed.__dataclass_fields__:
                    setattr(total, name, getattr(total, name) + getattr(followed, name))
        return total

    def decide(self) -> None:
        """Decide and deliver."""
        act(self.world.leadloop, Pass())

    def seen(self, side: str, name: str, record_id: str) -> Observation | None:
        key = RecordKey(side, name, record_id)
        with self.world.database.read() as conn:
            return observations_by_key(conn, [key]).get(key)

    def lead_of(self, side: str, name: str, record_id: str) -> str | None:
        key = RecordKey(side, name, record_id)
        with self.world.database.read() as conn:
            link = linked(conn, [key]).get(key)
        return None if link is None else link.lead_id

    def waiting(self) -> Mapping[str, int]:
        with self.world.database.read() as conn:
            return {side: filling.hints for side, filling in count_hints(conn).items()}

    def put(self, *ids: str, side: str = "hubspot", name: str = "contacts") -> None:
        """Hints about records, whoever told of them."""
        now_ms = self.world.clock.now_ms()
        with self.world.database.begin() as conn:
            put_hints(conn, [Hint(side, name, record_id, "read", now_ms) for record_id in ids])


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Told]:
    with World(tmp_path) as world:
        for side in world.leadloop.feeds:
            start_cursors(world.leadloop, side)
        environment = {"LEADLOOP_HUBSPOT__CLIENT_SECRET": HUBSPOT_CLIENT_SECRET}
        with Post(world.database, world.clock, environment) as reception:
            url = reception.reception.url
            world.hubspot.crm.webhooks.subscribe(f"{url}/hubspot")
            world.salesforce.outbound.set_up(
                f"{url}/salesforce/{PATH_SECRET}",
                ("Lead", "Contact", "Opportunity"),
                world.salesforce.integration_user_id,
            )
            yield Told(world, reception)


def test_a_new_contact_is_known_and_decided_without_a_look(told: Told) -> None:
    contact = told.world.hubspot.create("contacts", email="ann@acme.example", lastname="Arbor")

    assert told.follow().records == 1
    told.decide()

    assert told.world.hubspot.get("contacts", contact)["leadloop_stage"] == "nurture"
    assert told.waiting() == {}


def test_a_new_salesforce_lead_reaches_hubspot_without_a_look(told: Told) -> None:
    told.world.salesforce.insert("Lead", LastName="Bell", Company="Acme", Email="bo@acme.example")

    assert told.follow().records == 1
    told.decide()

    assert [row["email"] for row in told.world.hubspot.rows("contacts")] == ["bo@acme.example"]
    assert told.world.sandbox.send() != []  # leadloop's own contact, which HubSpot tells of
    assert told.read().records <= 1
    assert told.world.sandbox.send() == []  # leadloop's own writes in Salesforce send none


@pytest.mark.parametrize("generic", [False, True])
def test_deleted_and_restored_in_hubspot(told: Told, generic: bool) -> None:
    """HubSpot's search never shows either."""
    told.world.hubspot.crm.webhooks.subscribe(told.reception.reception.addresses["hubspot"], generic=generic)
    contact = told.world.hubspot.create("contacts", email="ann@acme.example", lastname="Arbor")
    told.follow()
    told.world.hubspot.archive("contacts", contact)

    assert told.follow().missing == 1
    seen = told.seen("hubspot", "contacts", contact)
    assert seen is not None
    assert seen.deleted
    assert seen.fields["lastname"] == "Arbor"

    told.world.hubspot.restore("contacts", contact)
    told.follow()
    seen = told.seen("hubspot", "contacts", contact)
    assert seen is not None
    assert not seen.deleted


@pytest.mark.parametrize("survivor_first", [True, False])
@pytest.mark.parametrize("keep_primary_id", [True, False])
def test_merged_in_hubspot_in_whatever_order_it_is_told(
    told: Told, survivor_first: bool, keep_primary_id: bool
) -> None:
    told.world.hubspot.crm.keep_primary_id = keep_primary_id
    one = told.world.hubspot.create("contacts", email="ann@acme.example", lastname="Arbor")
    other = told.world.hubspot.create("contacts", email="ann@home.example", lastname="Arbor")
    told.follow()
    leads = {told.lead_of("hubspot", "contacts", each) for each in (one, other)}
    assert len(leads) == 2
    survivor = told.world.hubspot.merge(one, other)
    told.world.hubspot.crm.webhooks.pending.clear()

    ids = [survivor, *({one, other} - {survivor})]
    for record_id in ids if survivor_first else ids[::-1]:
        told.put(record_id)
        told.read()
        told.decide()

    assert told.lead_of("hubspot", "contacts", survivor) in leads
    for gone in {one, other} - {survivor}:
        seen = told.seen("hubspot", "contacts", gone)
        assert seen is not None
        assert (seen.deleted, seen.merged_into) == (True, survivor)
        assert told.lead_of("hubspot", "contacts", gone) == told.lead_of("hubspot", "contacts", survivor)


def test_a_merge_that_hubspot_tells_of_unites_the_leads(told: Told) -> None:
    one = told.world.hubspot.create("contacts", email="ann@acme.example", lastname="Arbor")
    other = told.world.hubspot.create("contacts", email="ann@home.example", lastname="Arbor")
    told.follow()
    survivor = told.world.hubspot.merge(one, other)

    told.follow()

    assert len({told.lead_of("hubspot", "contacts", each) for each in (one, other, survivor)}) == 1


def test_a_privacy_deletion_in_hubspot_erases_the_person(told: Told) -> None:
    contact = told.world.hubspot.create("contacts", email="ann@acme.example", lastname="Arbor")
    told.follow()
    told.world.hubspot.privacy_delete(contact)

    followed = told.follow()

    assert followed.forgotten == 1
    assert told.seen("hubspot", "contacts", contact) is None
    assert told.lead_of("hubspot", "contacts", contact) is None
    told.world.salesforce.insert("Lead", LastName="Arbor", Company="Acme", Email="ann@acme.example")
    told.follow()
    told.decide()
    assert told.world.hubspot.rows("contacts") == []


def test_a_record_that_vanishes_between_event_and_read_leaves_nothing(told: Told) -> None:
    """It was never known here: there is nothing to note of it, and the others are read."""
    gone = told.world.hubspot.create("contacts", email="gone@acme.example")
    kept = told.world.hubspot.create("contacts", email="kept@acme.example")
    told.world.hubspot.archive("contacts", gone)

    followed = told.follow()

    assert (followed.records, followed.missing) == (1, 1)
    assert told.seen("hubspot", "contacts", gone) is None
    assert told.seen("hubspot", "contacts", kept) is not None
    assert told.waiting() == {}


def test_what_the_mapping_does_not_name_is_dropped(told: Told) -> None:
    told.put("1", "2", name="2-143967026")
    told.put("003000000000001AAA", side="salesforce", name="Case")

    followed = told.read()

    assert (followed.unwanted, followed.records) == (3, 0)
    assert told.waiting() == {}


def test_late_and_repeated_hints_change_nothing(told: Told) -> None:
    contact = told.world.hubspot.create("contacts", email="ann@acme.example", lastname="Arbor")
    told.follow()
    told.decide()
    told.read()
    before = told.seen("hubspot", "contacts", contact)

    told.put(contact)
    assert told.read().leads <= 1
    told.put(contact)
    assert told.read().leads == 0

    after = told.seen("hubspot", "contacts", contact)
    assert before is not None
    assert after is not None
    assert after.stamp_ms >= before.stamp_ms


def test_what_cannot_be_read_now_stays_and_waits_longer_each_time(told: Told) -> None:
    contact = told.world.hubspot.create("contacts", email="ann@acme.example", lastname="Arbor")
    told.world.sandbox.send()
    for seconds in (1, 31, 31, 61):
        told.world.hubspot.faults.fail_next(1, 503)
        assert told.read(seconds).postponed == 1
        assert told.read(1).taken == 0
    assert told.waiting() == {"hubspot": 1}

    assert told.read(121).records == 1
    assert told.seen("hubspot", "contacts", contact) is not None
    assert told.waiting() == {}


def test_a_platform_that_is_told_to_wait_is_left_alone_as_long(told: Told) -> None:
    told.world.hubspot.create("contacts", email="ann@acme.example", lastname="Arbor")
    told.world.sandbox.send()
    told.world.hubspot.faults.fail_next(1, 429, headers={"Retry-After": "90"})
    told.read()

    assert told.read(16).taken == 0
    assert told.read(90).records == 1


def test_a_hint_that_the_platform_chokes_on_stops_no_other(told: Told) -> None:
    ids = [told.world.hubspot.create("contacts", email=f"n{n}@acme.example") for n in range(7)]
    poison = ids[3]
    told.world.sandbox.send()
    chokes(told.world, poison)

    followed = told.read()

    assert (followed.records, followed.postponed) == (6, 1)
    assert told.waiting() == {"hubspot": 1}
    told.world.later(days=8)
    assert told.read().records == 0
    assert told.waiting() == {}


def chokes(world: World, poison: str) -> None:
    """HubSpot refuses every read in which this id is."""
    from connector.platforms.errors import Refused

    platform = world.leadloop.platforms["hubspot"]
    read = platform.read

    def choosy(name: str, ids: list[str], *rest: object) -> object:
        if poison in ids:
            raise Refused("VALIDATION_ERROR", "one of these is no id")
        return read(name, ids, *rest)  # type: ignore[arg-type]  # handed on as it came

    platform.read = choosy  # type: ignore[method-assign,assignment]  # the test's own refusal


def test_what_is_told_again_while_it_is_read_is_read_once_more(told: Told) -> None:
    contact = told.world.hubspot.create("contacts", email="ann@acme.example", lastname="Arbor")
    told.world.sandbox.send()
    platform = told.world.leadloop.platforms["hubspot"]
    read = platform.read

    def meanwhile(*given: object) -> object:
        platform.read = read  # type: ignore[method-assign]  # once
        seen = read(*given)  # type: ignore[arg-type]  # handed on as it came
        told.world.hubspot.update("contacts", contact, lastname="Becker")
        told.world.sandbox.send()
        return seen

    platform.read = meanwhile  # type: ignore[method-assign,assignment]  # the test's own moment
    told.read()

    seen = told.seen("hubspot", "contacts", contact)
    assert seen is not None
    assert seen.fields["lastname"] == "Becker"
    assert told.waiting() == {}
