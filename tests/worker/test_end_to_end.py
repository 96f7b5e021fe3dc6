"""Leads live a part of their lives on both platforms, with leadloop run both ways: all in one process on
SQLite, and as workers and clocks over Redis and PostgreSQL. Time runs ten times as fast as it does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Protocol

import pytest

from connector.cli.service import Service
from connector.cli.worker_service import ClockService, WorkerService
from connector.clock import FastClock
from connector.observation import RecordKey
from connector.sandbox import HUBSPOT_ACCESS_TOKEN, SALESFORCE_SESSION_ID
from connector.sandbox.host import Sandbox
from connector.settings import Settings, load_settings
from connector.store import leads as lead_store
from connector.store import outbox
from connector.store.database import Database
from connector.store.observations import observations_by_key
from tests.worker.conftest import is_live
from tests.world import RULES, START_MS, configuration

SPEED = 10.0
FAST = RULES.replace('contains(description, "demo")', 'contains(job_title, "Chief")')
EMAILS = ("sam@sales.example", "kim@sales.example")


class Runs(Protocol):
    def run(self) -> None: ...
    def stop(self) -> None: ...


@contextmanager
def running(*services: Runs) -> Iterator[None]:
    """The services at work, each in a thread, until the end of the block; raises what one failed with."""
    failures: list[BaseException] = []

    def guarded(service: Runs) -> None:
        try:
            service.run()
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=guarded, args=(service,)) for service in services]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for service in services:
            service.stop()
        for thread in threads:
            thread.join(60)
    assert not failures
    assert not any(thread.is_alive() for thread in threads)


class Scene:
    """Both sandboxes on a fast clock, and the settings to reach them."""

    def __init__(self, database_url: str, redis_url: str | None) -> None:
        self.clock = FastClock(START_MS, SPEED)
        self.sandbox = Sandbox(self.clock)
        self.sandbox.add_leadloop_fields()
        self.salesforce, self.hubspot = self.sandbox.salesforce, self.sandbox.hubspot
        for email in EMAILS:
            self.salesforce.add_user(email.partition("@")[0].title(), email)
            self.hubspot.add_owner(email)
        self.sandbox.start()
        self.config = configuration(FAST)
        self.settings: Settings = load_settings(
            {},
            {
                "LEADLOOP_DATABASE_URL": database_url,
                "LEADLOOP_SALESFORCE__BASE_URL": self.sandbox.salesforce_url,
                "LEADLOOP_SALESFORCE__SESSION_ID": SALESFORCE_SESSION_ID,
                "LEADLOOP_SALESFORCE__POLL_SECONDS": "5",
                "LEADLOOP_HUBSPOT__BASE_URL": self.sandbox.hubspot_url,
                "LEADLOOP_HUBSPOT__ACCESS_TOKEN": HUBSPOT_ACCESS_TOKEN,
                "LEADLOOP_HUBSPOT__POLL_SECONDS": "5",
                **({"LEADLOOP_REDIS_URL": redis_url} if redis_url else {}),
            },
        )
        self._databases: list[Database] = []

    def database(self) -> Database:
        """One process's view of the database."""
        self._databases.append(Database.open(self.settings.database_url))
        return self._databases[-1]

    def close(self) -> None:
        self.sandbox.stop()
        for database in self._databases:
            database.close()

    def stages(self) -> dict[str, dict[str, str]]:
        """Address to the stage that each platform shows, of those that it has the person of."""
        shown: dict[str, dict[str, str]] = {}
        for row in self.hubspot.rows("contacts"):
            shown.setdefault(row["email"], {})["hubspot"] = row.get("leadloop_stage")
        for row in self.salesforce.rows("Lead"):
            shown.setdefault(row["Email"], {})["salesforce"] = row["Leadloop_Stage__c"]
        return shown

    def at(self, stage: str, *names: str) -> Callable[[], bool]:
        """Whether these people are shown at this stage on both sides."""

        def are() -> bool:
            stages = self.stages()
            both = {"hubspot": stage, "salesforce": stage}
            return all(stages.get(f"{name}@firm.example") == both for name in names)

        return are

    def salesforce_id(self, name: str) -> str:
        rows = [row for row in self.salesforce.rows("Lead") if row["Email"] == f"{name}@firm.example"]
        assert len(rows) == 1
        return str(rows[0]["Id"])


@pytest.fixture(params=["one process on SQLite", "workers over Redis and PostgreSQL"])
def scene(request: pytest.FixtureRequest) -> Iterator[tuple[Scene, list[Runs]]]:
    """The platforms, and leadloop ready to run in one of its two ways."""
    with ExitStack() as stack:
        if request.param == "one process on SQLite":
            made = Scene(request.getfixturevalue("sqlite_url"), None)
            stack.callback(made.close)
            alone = Service(made.config, made.settings, made.database(), made.clock)
            yield made, [alone]
            return
        url = request.getfixturevalue("own_redis_url")
        made = Scene(request.getfixturevalue("postgresql_url"), url)
        stack.callback(made.close)
        workers = [
            WorkerService(made.config, made.settings, made.database(), made.clock, threads=2)
            for _ in range(2)
        ]
        clocks = [ClockService(made.config, made.settings, made.database(), made.clock) for _ in range(2)]
        yield made, [*workers, *clocks]


def test_leads_end_with_the_same_stage_on_both_platforms(
    scene: tuple[Scene, list[Runs]], eventually: Callable[[Callable[[], object]], None]
) -> None:
    world, services = scene
    database = world.database()

    def connected() -> bool:
        ready = all(service.not_ready() is None for service in services if isinstance(service, Service))
        return ready and is_live(database, world.clock)

    def seen(*names: str) -> bool:
        keys = [RecordKey("salesforce", "Lead", world.salesforce_id(name)) for name in names]
        with database.read() as conn:
            return len(observations_by_key(conn, keys)) == len(keys)

    def quiet() -> bool:
        with database.read() as conn:
            return lead_store.backlog(conn, 0).dirty == 0 and not outbox.counts(conn)

    with running(*services):
        eventually(connected)
        # two of marketing's are wanted at once, one is not; sales enters one itself
        for name in ("ann", "ben"):
            world.hubspot.create(
                "contacts",
                email=f"{name}@firm.example",
                lastname=name.title(),
                company="Firm",
                jobtitle="Chief Buyer",
            )
        world.hubspot.create("contacts", email="cat@firm.example", lastname="Cat")
        world.salesforce.insert("Lead", Email="dan@firm.example", LastName="Dan", Company="Firm")
        eventually(world.at("distributed", "ann", "ben"))
        eventually(world.at("nurture", "dan"))

        eventually(lambda: seen("ann", "ben"))
        # sales works on one and sends the other back with a reason
        world.salesforce.update("Lead", world.salesforce_id("ann"), Status="Working - Contacted")
        world.salesforce.update(
            "Lead",
            world.salesforce_id("ben"),
            Leadloop_Verdict__c="rejected",
            Leadloop_Rejection_Reason__c="timing",
        )
        eventually(world.at("accepted", "ann"))
        eventually(world.at("nurture", "ben"))
        eventually(quiet)

    stages = world.stages()
    assert stages == {
        "ann@firm.example": {"hubspot": "accepted", "salesforce": "accepted"},
        "ben@firm.example": {"hubspot": "nurture", "salesforce": "nurture"},
        "cat@firm.example": {"hubspot": "nurture"},
        "dan@firm.example": {"hubspot": "nurture", "salesforce": "nurture"},
    }
    with database.read() as conn:
        own = {email: lead.stage for email in stages for lead in lead_store.find_leads(conn, email)}
        assert own == {email: shown["hubspot"] for email, shown in stages.items()}
        assert sum(lead_store.count_by_stage(conn).values()) == 4
