"""Re-scoring: the shipped rules over leads with 20 activities each, batch after batch, in this process.

`python -m tests.benchmarks.rescoring COUNT` prints leads a CPU second, and memory idle and above that.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator

from connector.configuration import load_configuration
from mappings.stages import Stage
from rules.facts import Activity, LeadFacts
from tests.benchmarks.offline import cpu_seconds, peak_mb
from tests.benchmarks.rule_language import NOW_MS

BATCH, ACTIVITIES, DAY_MS = 1_000, 20, 86_400_000
KINDS = ("form_submission", "visit", "page_view", "email_click", "email_open")
TITLES = ("VP Sales", "Head of IT", "Student", "Engineer", None)


def batches(count: int) -> Iterator[list[LeadFacts]]:
    """Leads as a database would give them: a batch at a time."""
    chance = random.Random(11)
    for first in range(0, count, BATCH):
        yield [_lead(chance, number) for number in range(first, min(count, first + BATCH))]


def _lead(chance: random.Random, number: int) -> LeadFacts:
    values = {
        "email": f"ana{number}@company{number}.example",
        "job_title": chance.choice(TITLES),
        "country": chance.choice(("US", "DE", "BR")),
        "employees": chance.randrange(5_000),
    }
    activities = [
        Activity(chance.choice(KINDS), NOW_MS - chance.randrange(200 * DAY_MS), {"detail": f"page {each}"})
        for each in range(ACTIVITIES)
    ]
    return LeadFacts(values, Stage.NURTURE, 1, NOW_MS - 9 * DAY_MS, NOW_MS - 300 * DAY_MS, activities)


def main(count: int) -> None:
    rules = load_configuration(None).rules
    idle_mb, began = peak_mb(), cpu_seconds()
    scored = 0
    for batch in batches(count):
        scored += len([rules.evaluate(facts, NOW_MS) for facts in batch])
    spent = cpu_seconds() - began
    figures = {"leads": scored, "rate": scored / spent, "idle_mb": idle_mb, "above_mb": peak_mb() - idle_mb}
    print(json.dumps(figures))


if __name__ == "__main__":
    main(int(sys.argv[1]))
