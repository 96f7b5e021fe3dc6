"""Health and metrics tell what is so, and nothing of any lead."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from connector.health import HealthServer
from connector.metrics import Metrics
from connector.store import brakes
from tests.cli.people import ANN, ann_asks_for_prices, sales_rejects_ann
from tests.world import World


@pytest.fixture
def state() -> dict[str, str | None]:
    return {"amiss": None, "metrics": "fine"}


@pytest.fixture
def server(state: dict[str, str | None]) -> Iterator[HealthServer]:
    def metrics() -> tuple[str, bytes]:
        if state["metrics"] is None:
            raise RuntimeError("the database is gone")
        return "text/plain", state["metrics"].encode()

    made = HealthServer("127.0.0.1", 0, lambda: state["amiss"], metrics)
    yield made
    made.close()


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_is_alive_also_when_it_is_not_ready(server: HealthServer, state: dict[str, str | None]) -> None:
    state["amiss"] = "hubspot has not been looked at yet"

    assert get(f"{server.url}/healthz")[0] == 200
    assert get(f"{server.url}/readyz") == (
        503,
        '{"status": "not ready", "reason": "hubspot has not been looked at yet"}',
    )


def test_a_scrape_that_fails_is_no_page(server: HealthServer, state: dict[str, str | None]) -> None:
    assert get(f"{server.url}/metrics") == (200, "fine")
    state["metrics"] = None
    assert get(f"{server.url}/metrics") == (503, "RuntimeError\n")


def page_of(metrics: Metrics) -> dict[str, float]:
    lines = metrics.text().decode().splitlines()
    pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {name: float(value) for name, _, value in pairs}


def test_counts_what_the_database_holds(world: World) -> None:
    sales_rejects_ann(world)
    ann = world.lead(ANN).lead_id
    world.hubspot.create("contacts", email="ben@bolts.example", lastname="Ben")
    world.later(minutes=1)
    with world.database.begin() as conn:
        brakes.trip(conn, world.config.version, "creates", "too many", world.clock.now_ms())
    metrics = Metrics(
        world.database,
        world.clock,
        world.config.mapping.sides,
        lambda: {"hubspot": world.clock.now_ms() - 5_000},
    )

    page = page_of(metrics)

    assert page['leadloop_leads{stage="nurture"}'] == 1
    assert page['leadloop_waiting_leads{state="dirty"}'] == 0
    assert page['leadloop_brake_stopped{kind="creates"}'] == 1
    assert page['leadloop_last_poll_age_seconds{side="hubspot"}'] == 5
    assert page['leadloop_quarantined_values{side="salesforce"}'] == 0
    calls = sum(value for name, value in page.items() if name.startswith("leadloop_api_calls_used"))
    assert calls == sum(budget.total() for budget in world.connected.budgets.values())
    assert ann not in metrics.text().decode()


def test_tells_the_age_of_the_oldest_lead_that_waits(world: World) -> None:
    ann_asks_for_prices(world)
    world.later(minutes=10)

    page = page_of(Metrics(world.database, world.clock, [], dict))

    assert page['leadloop_waiting_leads{state="dirty"}'] == 1
    assert page["leadloop_oldest_waiting_seconds"] == 600


def test_counts_what_happened_in_this_process(world: World) -> None:
    metrics = Metrics(world.database, world.clock, [], dict)
    world.leadloop.on_event = metrics.count
    ann_asks_for_prices(world)
    world.run()

    page = page_of(metrics)

    assert page['leadloop_moves_total{origin="mql",target="distributed"}'] == 1
    assert page["leadloop_undecided_leads_total"] == 0
