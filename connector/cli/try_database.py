"""The leads of a database by two configurations: the folder's, and the one in force. Reads only.

The rules alone are compared, each lead from the stage it is in: what people and platforms say is not played.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

import typer

from connector.cli.output import Page, counted, print_json
from connector.cli.place import Place
from connector.cli.try_ import BATCH, as_data, print_rows
from connector.configuration import Configuration
from mappings.vocabulary import Vocabulary


def changes(place: Place, url: str, wanted: Configuration) -> Iterator[dict[str, Any]]:
    """One JSON object for each lead. Raises StoreError, Problem, ConfigErrors."""
    from connector.lead import LeadState
    from connector.lead_input import lead_facts
    from connector.store import activities as activity_store
    from connector.store.leads import iterate_lead_ids, read_leads
    from connector.store.links import links_of
    from rules.cases import go_as_far
    from rules.facts import Activity
    from rules.gates import is_pursued

    now_ms = place.clock.now_ms()
    with place.database(url=url, read_only=True) as database, database.read() as conn:
        applied = place.in_force(conn)
        after = ""
        while ids := iterate_lead_ids(conn, after, BATCH):
            links = links_of(conn, ids)
            activities = activity_store.activities_of(conn, ids)
            for lead in read_leads(conn, ids):
                state = LeadState.from_json(lead.state)
                known = [Activity(row.kind, row.at_ms, row.attributes) for row in activities[lead.id]]
                facts = lead_facts(state, known, frozenset(link.side for link in links[lead.id]))
                now = go_as_far(applied.rules, facts, now_ms)
                then = go_as_far(wanted.rules, facts, now_ms)
                yield {
                    "lead": lead.id,
                    "name": state.values.get("email"),
                    "stage_now": state.stage.value,
                    "resting": state.resting,
                    "mql_before": is_pursued(now.stage),
                    "mql_after": is_pursued(then.stage),
                    "applied": as_data(now),
                    "folder": as_data(then),
                }
            after = ids[-1]


def changed(item: dict[str, Any]) -> bool:
    """Whether the lead would stand elsewhere."""
    return bool(item["applied"]["stage"] != item["folder"]["stage"])


def print_changes(
    items: Iterator[dict[str, Any]], vocabulary: Vocabulary, *, summary: bool, as_json: bool
) -> None:
    """Print the leads that change (all, as JSON), and the counts."""
    counts: Counter[str] = Counter()
    steps: Counter[tuple[str, str]] = Counter()

    def count(items: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for item in items:
            counts["leads"] += 1
            counts["mqls_gained"] += item["mql_after"] and not item["mql_before"]
            counts["mqls_lost"] += item["mql_before"] and not item["mql_after"]
            counts["scores_changed"] += item["applied"]["score"] != item["folder"]["score"]
            if item["applied"]["stage"] != item["folder"]["stage"]:
                steps[item["applied"]["stage"], item["folder"]["stage"]] += 1
            yield item

    counting = count(items)
    if as_json and not summary:
        for item in counting:
            typer.echo(json.dumps(item, ensure_ascii=False))
        return
    if not summary:
        _table(counting, vocabulary)
    for _ in counting:
        pass
    data = {
        "leads": counts["leads"],
        "scores_changed": counts["scores_changed"],
        "stages_changed": [
            {"applied": before, "folder": after, "leads": number}
            for (before, after), number in steps.most_common()
        ],
        "mqls_gained": counts["mqls_gained"],
        "mqls_lost": counts["mqls_lost"],
    }
    if as_json:
        print_json(data)
        return
    page = Page()
    page.heading(f"{counted(counts['leads'], 'lead')}, by the folder's rules against the applied ones")
    page.table(
        [
            ("MQLs gained", counts["mqls_gained"]),
            ("MQLs lost", counts["mqls_lost"]),
            ("scores changed", counts["scores_changed"]),
            *(
                (f"{vocabulary.shown(before)} → {vocabulary.shown(after)}", number)
                for (before, after), number in steps.most_common()
            ),
        ]
    )


def _table(items: Iterator[dict[str, Any]], vocabulary: Vocabulary) -> None:
    first = True
    changing = (item for item in items if changed(item))
    while batch := list(islice(changing, BATCH)):
        print_rows(
            [
                (
                    item["name"] or item["lead"],
                    vocabulary.shown(item["applied"]["stage"]),
                    f"{item['applied']['score']} → {item['folder']['score']}",
                    _change(item, vocabulary),
                )
                for item in batch
            ],
            ("lead", "stage", "scores", "by the folder's rules"),
            first=first,
        )
        first = False
    if not first:
        typer.echo()


def _change(item: dict[str, Any], vocabulary: Vocabulary) -> str:
    before, after = item["applied"]["stage"], item["folder"]["stage"]
    words = [vocabulary.shown(after)] if before != after else []
    if item["mql_after"] and not item["mql_before"]:
        words.append("MQL gained")
    elif item["mql_before"] and not item["mql_after"]:
        words.append("MQL lost")
    return ", ".join(words)
