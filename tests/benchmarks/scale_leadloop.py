"""Scale leadloop: leadloop's own commands in a process of their own, on the sandbox's time.

Where leadloop would wait (for a platform's limit of calls a second, for a bulk job) the sandbox's clock jumps
instead, so that a run takes as long as the work does, and the time that the platforms would have had it wait
can be told all the same.

    python -m tests.benchmarks.scale_leadloop SALESFORCE_URL backfill --json   any command line of leadloop's
    python -m tests.benchmarks.scale_leadloop SALESFORCE_URL look              one look at either side
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import orjson
import urllib3

from connector.clock import SystemClock


class JumpingClock:
    """The sandbox's clock: the real time, and whatever anybody has waited since.

    Asked for once; from then on either moves by the same. On a busy machine the answer comes late: to go by
    it each time would have this clock run ahead of the sandbox's, where calls would then come too fast.
    """

    def __init__(self, salesforce_url: str) -> None:
        self._url = f"{salesforce_url}/_sandbox/clock"
        self._real = SystemClock()
        self._http = urllib3.PoolManager()
        told = orjson.loads(self._http.request("GET", self._url).data)
        self._offset_ms = int(told["now_ms"]) - self._real.now_ms()

    def now_ms(self) -> int:
        """See `Clock`."""
        return self._real.now_ms() + self._offset_ms

    def sleep(self, seconds: float, wake: threading.Event | None = None) -> None:
        """Move the time forward, at once."""
        if seconds > 0 and not (wake is not None and wake.is_set()):
            body = orjson.dumps({"advance_seconds": seconds})
            answer = self._http.request("POST", self._url, body=body)
            assert answer.status == 200, answer.data
            self._offset_ms += round(seconds * 1_000)  # as the sandbox's does


def look_once(clock: JumpingClock) -> None:
    """One look at either side, as a worker makes it when its time has come; prints what it brought."""
    from connector.cli.place import Place
    from connector.wiring import connect, open_database
    from connector.worker.passes import Pass, look

    place = Place(Path(), clock)
    settings = place.settings()
    database = open_database(settings)
    with database.read() as conn:
        configuration = place.in_force(conn)
    connected = connect(configuration, settings, database, clock)
    before = {side: budget.total() for side, budget in connected.budgets.items()}
    done = Pass()
    look(connected.installation, done)
    calls = {side: budget.total() - before[side] for side, budget in connected.budgets.items()}
    objects = {side: len(feed.objects) for side, feed in connected.installation.feeds.items()}
    told = {"records": done.polled, "changed": done.changed, "calls": calls, "objects": objects}
    sys.stdout.buffer.write(orjson.dumps(told))
    database.close()


if __name__ == "__main__":
    _, address, *line = sys.argv
    if line == ["look"]:
        look_once(JumpingClock(address))
    else:
        from connector.cli.main import app
        from connector.cli.place import Place

        app(line, obj=Place(Path(), JumpingClock(address)))
