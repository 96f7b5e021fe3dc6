"""The budget is one for all workers: places within the limits by the second, the day's calls, and pauses."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest

from connector.budget import Budget, Kind
from connector.clock import DAY_MS, HOUR_MS, MINUTE_MS, ManualClock
from connector.lane import Lane
from connector.platforms.errors import RetryLater
from connector.platforms.protocol import Allowance, Usage
from connector.store.calls import count_calls, used_by_lane
from connector.store.database import Database

NOON_MS = 1_800_014_400_000  # 2027-01-15T12:00:00Z
ROLLING = Allowance(1_000, 50, 20, burst_calls=10, burst_seconds=10.0)
BY_DAY = Allowance(1_000, 50, 20, 10, 10.0, searches_per_second=5, account_day=True)
CALLS_AT_ONCE = Allowance(1_000, 50, 20, burst_calls=10_000, burst_seconds=1.0)
"""Limited by the day alone: 500 are ours, 400 of them not for hand-offs alone, 320 for a backfill."""


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON_MS)


@pytest.fixture
def worker(database: Database, clock: ManualClock) -> Callable[..., Budget]:
    """A worker's budget, on the one database. Each plays a process of its own."""

    def made(
        allowance: Allowance = ROLLING, clock: ManualClock = clock, zone: str = "UTC", looks_a_day: int = 0
    ) -> Budget:
        budget = Budget("map", database, clock, allowance)
        budget.serves(zone, looks_a_day, 100)
        return budget

    return made


def call(budget: Budget, lane: Lane = Lane.UPDATE, usage: Usage | None = None) -> None:
    """One call, answered at once."""
    budget.admit(lane, "read")
    budget.answered(usage or Usage())


def refusal(budget: Budget, lane: Lane = Lane.UPDATE) -> RetryLater:
    with pytest.raises(RetryLater) as caught:
        budget.admit(lane, "read")
    return caught.value


# by the second ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("processes", [1, 2, 5])
def test_no_stretch_of_the_window_ever_holds_more_calls_than_are_allowed(
    worker: Callable[..., Budget], clock: ManualClock, processes: int
) -> None:
    """The server may count a call at any moment between its sending and its answer."""
    chance = Random(processes)
    workers = [worker() for _ in range(processes)]
    counted: list[int] = []
    for _ in range(120):
        budget = chance.choice(workers)
        budget.admit(Lane.UPDATE, "read")
        sent_ms = clock.now_ms()
        clock.advance(chance.choice([0.0, 0.05, 0.1, 2.0]))
        counted.append(chance.randint(sent_ms, clock.now_ms()))
        budget.answered(Usage())
    counted.sort()
    most = max(bisect_left(counted, at_ms + 10_000) - place for place, at_ms in enumerate(counted))
    assert most <= 10


def test_the_whole_of_a_limit_that_answers_tell_is_used(
    worker: Callable[..., Budget], clock: ManualClock
) -> None:
    first, second = worker(), worker()
    call(first, usage=Usage(burst_limit=190))
    for _ in range(94):
        call(first)
        call(second)
    call(first)
    assert clock.now_ms() == NOON_MS, "190 calls at once"
    call(second)
    assert 10_000 <= clock.now_ms() - NOON_MS <= 10_100


def test_searches_have_a_limit_of_their_own_for_all_processes(
    worker: Callable[..., Budget], clock: ManualClock
) -> None:
    first, second = worker(BY_DAY), worker(BY_DAY)
    for budget in (first, first, second, second, first):
        budget.admit(Lane.HANDOFF, "search")
        budget.answered(Usage())
    assert clock.now_ms() == NOON_MS
    call(second)
    assert clock.now_ms() == NOON_MS, "other calls do not wait for searches"
    second.admit(Lane.HANDOFF, "search")
    assert 1_000 <= clock.now_ms() - NOON_MS <= 1_100


def test_who_waits_for_a_call_under_way_looks_again_when_it_may_have_its_answer(
    worker: Callable[..., Budget], clock: ManualClock
) -> None:
    """Not when it would be given up for dead: its answer comes from another process, or another thread."""
    slow = [worker(BY_DAY) for _ in range(5)]
    for budget in slow:
        budget.admit(Lane.HANDOFF, "search")

    class Answering(ManualClock):
        def sleep(self, seconds: float, wake: threading.Event | None = None) -> None:
            while slow:  # the answers come as soon as anybody waits
                slow.pop().answered(Usage())
            clock.advance(seconds)

        def now_ms(self) -> int:
            return clock.now_ms()

    waiting = worker(BY_DAY, clock=Answering(NOON_MS))
    waiting.admit(Lane.HANDOFF, "search")
    assert clock.now_ms() - NOON_MS <= 1_100


def test_a_process_that_died_gives_its_places_back_by_time(
    worker: Callable[..., Budget], clock: ManualClock
) -> None:
    dying, living = worker(), worker()
    for _ in range(9):
        call(dying)
    dying.admit(Lane.UPDATE, "write")  # and is killed
    clock.advance(10.1)
    for _ in range(9):
        call(living)
    assert clock.now_ms() - NOON_MS <= 10_200
    clock.advance(60)
    for _ in range(10):
        call(living)
    assert clock.now_ms() - NOON_MS <= 70_300, "the tenth place was free again"


def test_a_call_that_was_lost_gives_its_place_back_with_the_next(
    worker: Callable[..., Budget], clock: ManualClock
) -> None:
    budget = worker()
    for _ in range(10):
        budget.admit(Lane.UPDATE, "read")  # the connection breaks each time
    call(budget)
    assert 10_000 <= clock.now_ms() - NOON_MS <= 10_100


def test_a_worker_whose_clock_is_behind_frees_no_place_early(worker: Callable[..., Budget]) -> None:
    ahead, behind = ManualClock(NOON_MS + 4_000), ManualClock(NOON_MS)
    early, late = worker(clock=ahead), worker(clock=behind)
    for _ in range(5):
        call(early)
        call(late)
    call(early)  # the worker that is ahead goes on when its own 10 seconds are over, and not before
    assert ahead.now_ms() - NOON_MS >= 14_000


def test_calls_that_came_too_fast_all_the_same_are_waited_for_by_all(
    worker: Callable[..., Budget], clock: ManualClock
) -> None:
    first, second = worker(BY_DAY), worker(BY_DAY)
    first.admit(Lane.UPDATE, "read")
    first.answered(Usage(), RetryLater("too many calls", 10, concerns="calls"))
    call(second)
    assert 10_000 <= clock.now_ms() - NOON_MS <= 10_100
    first.admit(Lane.UPDATE, "search")
    first.answered(Usage(), RetryLater("too many searches", 1, concerns="searches"))
    began_ms = clock.now_ms()
    call(second)
    assert clock.now_ms() == began_ms
    second.admit(Lane.UPDATE, "search")
    assert 1_000 <= clock.now_ms() - began_ms <= 1_100


# the day ------------------------------------------------------------------------------------------------


def test_the_days_calls_are_those_of_all_workers_at_once(worker: Callable[..., Budget]) -> None:
    """Not a moment later: with many workers, half a minute would be hundreds of calls."""
    allowance = Allowance(100, 50, 20, 1_000, 10.0)  # 50 are ours, 40 of them not for hand-offs alone
    first, second = worker(allowance), worker(allowance)
    for _ in range(20):
        call(first)
        call(second)
    assert "share of updates" in refusal(first).reason
    assert "(40 of 40)" in refusal(second).reason
    for _ in range(5):
        call(first, Lane.HANDOFF)
        call(second, Lane.HANDOFF)
    assert "leadloop's share" in refusal(first, Lane.HANDOFF).reason


def test_the_accounts_day_begins_at_its_midnight(
    worker: Callable[..., Budget], database: Database, clock: ManualClock
) -> None:
    """Midnight in Auckland was an hour ago; what was called before is yesterday's."""
    budget = worker(BY_DAY, zone="Pacific/Auckland")
    with database.begin() as conn:
        count_calls(conn, "map", Lane.UPDATE, NOON_MS - 2 * HOUR_MS, 399)
        count_calls(conn, "map", Lane.UPDATE, NOON_MS - HOUR_MS // 2, 399)
    call(budget)
    assert refusal(budget).after_seconds == 900
    clock.advance(22.9 * 3_600)
    assert refusal(budget).after_seconds == pytest.approx(360)
    clock.advance(360)
    call(budget)


def test_what_waits_for_midnight_goes_at_midnight(
    worker: Callable[..., Budget], database: Database, clock: ManualClock
) -> None:
    """Also where the day's calls were counted a moment before."""
    budget = worker(BY_DAY)
    with database.begin() as conn:
        count_calls(conn, "map", Lane.UPDATE, NOON_MS, 400)
    clock.advance(12 * 3_600 - 5)
    assert refusal(budget).after_seconds == pytest.approx(5)
    clock.advance(5)
    call(budget)


def test_calls_of_a_rolling_day_count_for_24_hours(
    worker: Callable[..., Budget], database: Database, clock: ManualClock
) -> None:
    budget = worker()
    with database.begin() as conn:
        count_calls(conn, "map", Lane.UPDATE, NOON_MS, 400)
    refusal(budget)
    clock.advance(23 * 3_600)
    refusal(budget)
    clock.advance(2 * 3_600)
    call(budget)


def test_what_others_leave_of_the_account_is_kept_for_handoffs(
    worker: Callable[..., Budget], clock: ManualClock
) -> None:
    budget, other = worker(), worker()
    call(budget, usage=Usage(day_used=900, day_limit=1_000))
    assert "kept for hand-offs" in refusal(budget).reason
    assert "100 calls left" in refusal(other).reason
    assert "hand-offs and updates" in refusal(other, Lane.BACKFILL).reason
    call(other, Lane.HANDOFF, Usage(day_used=500, day_limit=1_000))
    call(other)
    call(budget)


def test_what_was_told_long_ago_stops_nobody(worker: Callable[..., Budget], clock: ManualClock) -> None:
    budget = worker()
    call(budget, usage=Usage(day_used=950, day_limit=1_000))
    call(budget, Lane.HANDOFF)
    refusal(budget)
    clock.advance(16 * 60)
    call(budget)


def used_up(budget: Budget, lane: Lane, most: int = 2_000) -> int:
    """How many calls this lane may make at once."""
    for number in range(most):
        try:
            budget.admit(lane, "read")
        except RetryLater:
            return number
    return most


def test_updates_and_a_backfill_leave_the_looks_that_the_day_still_needs(
    worker: Callable[..., Budget], clock: ManualClock
) -> None:
    budget = worker(CALLS_AT_ONCE, looks_a_day=96)
    assert used_up(budget, Lane.BACKFILL) == 320 - 100, "a call counts for up to 25 hours"
    assert used_up(budget, Lane.UPDATE) == 80
    assert used_up(budget, Lane.LOOK, 100) == 100
    assert used_up(budget, Lane.UPDATE) == 0, "looks that were made were reckoned with"


def test_what_looks_need_becomes_less_as_the_accounts_day_goes_by(
    worker: Callable[..., Budget], clock: ManualClock
) -> None:
    """It is noon."""
    budget = worker(replace(CALLS_AT_ONCE, account_day=True), looks_a_day=96)
    assert used_up(budget, Lane.UPDATE) == 400 - 48
    clock.advance(6 * 3_600)
    assert used_up(budget, Lane.UPDATE) == 24
    clock.advance(6 * 3_600)
    assert used_up(budget, Lane.UPDATE) == 400 - 96


def test_where_looks_alone_take_more_than_there_is_updates_have_half(worker: Callable[..., Budget]) -> None:
    budget = worker(CALLS_AT_ONCE, looks_a_day=10_000)
    assert used_up(budget, Lane.BACKFILL) == 160
    assert used_up(budget, Lane.UPDATE) == 40
    assert "share of updates of the day's calls is used up (200 of 200)" in refusal(budget).reason


def test_who_does_not_poll_leaves_what_the_others_need_for_it(
    worker: Callable[..., Budget], database: Database, clock: ManualClock
) -> None:
    call(worker(CALLS_AT_ONCE, looks_a_day=96), Lane.HANDOFF)
    stream = Budget("map", database, clock, CALLS_AT_ONCE)
    stream.serves("UTC")
    assert used_up(stream, Lane.UPDATE) == 400 - 100 - 1


@pytest.mark.parametrize("account_day", [False, True])
def test_looks_that_come_to_the_reserve_are_made_seldom_and_handoffs_can_go_all_day(
    worker: Callable[..., Budget], database: Database, clock: ManualClock, account_day: bool
) -> None:
    clock.advance(-12 * 3_600)
    budget = worker(replace(CALLS_AT_ONCE, account_day=account_day), looks_a_day=10_000)
    with database.begin() as conn:
        count_calls(conn, "map", Lane.UPDATE, clock.now_ms() + HOUR_MS, 400)
    clock.advance(3_600)
    made: list[int] = []
    for _ in range(22 * 6):
        clock.advance(600)
        with suppress(RetryLater):
            budget.admit(Lane.LOOK, "search")
            made.append(clock.now_ms())
    longest_ms = max(later - earlier for earlier, later in pairwise(made))
    assert longest_ms < 2 * HOUR_MS, "and they do not stop"
    assert used_up(budget, Lane.HANDOFF) >= (20 if account_day else 60)


def test_a_look_of_several_calls_that_has_begun_is_made_to_its_end(
    worker: Callable[..., Budget], database: Database, clock: ManualClock
) -> None:
    """Else the first call would be made each time, and the last never."""
    budget = worker(CALLS_AT_ONCE)
    with database.begin() as conn:
        count_calls(conn, "map", Lane.UPDATE, NOON_MS, 420)
    for _ in range(4):
        assert used_up(budget, Lane.LOOK, 5) == 5
        clock.advance(60)
        assert "looks are made seldom" in refusal(budget, Lane.LOOK).reason
        clock.advance(5 * 3_600)
    assert used_up(budget, Lane.LOOK, 50) == 20, "a look without an end would leave nothing"


def test_what_others_leave_of_the_account_is_not_eaten_by_looks(
    worker: Callable[..., Budget], clock: ManualClock
) -> None:
    budget = worker()
    call(budget, Lane.HANDOFF, Usage(day_used=950, day_limit=1_000))
    call(budget, Lane.LOOK)
    clock.advance(60)
    assert "looks are made seldom" in refusal(budget, Lane.LOOK).reason
    call(budget, Lane.HANDOFF)


def test_a_clock_that_was_ahead_for_a_while_uses_up_no_day_to_come(
    worker: Callable[..., Budget], database: Database
) -> None:
    early = worker(CALLS_AT_ONCE, clock=ManualClock(NOON_MS + 30 * DAY_MS))
    late = worker(CALLS_AT_ONCE)
    with database.begin() as conn:
        count_calls(conn, "map", Lane.UPDATE, NOON_MS, 420)
        count_calls(conn, "map", Lane.UPDATE, NOON_MS + 30 * DAY_MS, 420)
    assert used_up(early, Lane.LOOK, 50) == 20
    call(early, Lane.HANDOFF, Usage(day_used=990, day_limit=1_000))
    call(early, Lane.HANDOFF)  # takes along what was told
    assert used_up(late, Lane.LOOK, 1) == 1


# pauses -------------------------------------------------------------------------------------------------

SPENT = RetryLater("the day's calls are used up", 900, concerns="day")


def test_after_the_days_limit_one_call_in_a_quarter_of_an_hour_asks_again(
    worker: Callable[..., Budget], clock: ManualClock
) -> None:
    workers = [worker(), worker(), worker()]
    workers[0].admit(Lane.UPDATE, "write")
    workers[0].answered(Usage(), SPENT)
    asked: list[int] = []
    for _ in range(120):
        clock.advance(60)
        for budget in workers:
            with suppress(RetryLater):
                budget.admit(Lane.HANDOFF, "read")
                asked.append(clock.now_ms())
                budget.answered(Usage(), SPENT)
    assert len(asked) == 8, "two hours"
    assert min(later - earlier for earlier, later in pairwise(asked)) >= 15 * MINUTE_MS


def test_everybody_goes_on_once_one_call_is_answered(
    worker: Callable[..., Budget], clock: ManualClock
) -> None:
    first, second = worker(), worker()
    first.admit(Lane.UPDATE, "write")
    first.answered(Usage(), SPENT)
    refusal(second)
    clock.advance(901)
    second.admit(Lane.UPDATE, "read")
    refusal(first)
    second.answered(Usage())
    call(first)
    call(second)


def test_an_asker_that_gets_no_answer_leaves_the_asking_to_the_next(
    worker: Callable[..., Budget], clock: ManualClock
) -> None:
    first, second = worker(), worker()
    first.admit(Lane.UPDATE, "write")
    first.answered(Usage(), SPENT)
    clock.advance(901)
    first.admit(Lane.UPDATE, "read")  # and is killed
    refusal(second)
    clock.advance(901)
    call(second)
    call(second)


def test_the_accounts_day_is_over_at_its_midnight_for_every_thread(
    worker: Callable[..., Budget], clock: ManualClock
) -> None:
    first, second = worker(BY_DAY, zone="Europe/Berlin"), worker(BY_DAY, zone="Europe/Berlin")
    first.admit(Lane.UPDATE, "write")
    first.answered(Usage(), SPENT)
    assert refusal(second).until_seconds == 11 * 3_600
    clock.advance(11 * 3_600)
    for budget in (first, second, first):
        budget.admit(Lane.UPDATE, "read")


def test_an_answer_that_leaves_no_call_stops_before_the_platform_has_to(
    worker: Callable[..., Budget], clock: ManualClock
) -> None:
    """And does not stop for ever: the next answers would be all that could tell of more."""
    budget = worker()
    call(budget, usage=Usage(day_used=1_000, day_limit=1_000))
    assert "no calls left today" in refusal(budget, Lane.HANDOFF).reason
    clock.advance(901)
    call(budget, Lane.HANDOFF, Usage(day_used=1_000, day_limit=1_000))
    refusal(budget, Lane.HANDOFF)
    clock.advance(901)
    call(budget, Lane.HANDOFF, Usage(day_used=400, day_limit=1_000))
    call(budget)


def test_a_side_that_asks_for_a_day_gets_it(worker: Callable[..., Budget], clock: ManualClock) -> None:
    first, second = worker(), worker()
    first.admit(Lane.UPDATE, "read")
    first.answered(Usage(), RetryLater("moving", 86_400, concerns="side", until_seconds=86_400))
    for _ in range(95):
        clock.advance(900)
        assert refusal(second, Lane.HANDOFF).reason == "moving"
    clock.advance(1_000)
    call(second)


AWAY = RetryLater("no usable answer", 30, concerns="side")


def unanswered(budget: Budget, kind: Kind = "read", later: RetryLater = AWAY) -> None:
    budget.admit(Lane.HANDOFF, kind)
    budget.answered(Usage(), later)


def test_a_side_is_away_once_two_calls_in_succession_say_so(worker: Callable[..., Budget]) -> None:
    """One alone may have been the doing of its request."""
    first, second = worker(), worker()
    for _ in range(5):
        unanswered(first)
        call(second)
    unanswered(first)
    unanswered(second)
    assert refusal(first).reason == "no usable answer"
    assert refusal(second).after_seconds == pytest.approx(30)


def test_while_a_side_is_away_each_kind_of_call_asks_by_itself(
    worker: Callable[..., Budget], clock: ManualClock
) -> None:
    first, second = worker(BY_DAY), worker(BY_DAY)
    asked: Counter[Kind] = Counter()
    kinds: tuple[Kind, ...] = ("search", "read", "write", "metadata")
    for _ in range(20):
        clock.advance(15)
        for budget in (first, second):
            for kind in kinds:
                with suppress(RetryLater):
                    unanswered(budget, kind)
                    asked[kind] += 1
    assert all(9 <= number <= 11 for number in asked.values()), asked


def test_searches_that_fail_keep_no_write_away(worker: Callable[..., Budget], clock: ManualClock) -> None:
    """The one that asks whether the side is back must not be the search each time."""
    searching, writing = worker(BY_DAY), worker(BY_DAY)
    written = 0
    for _ in range(30):
        clock.advance(1)
        with suppress(RetryLater):
            unanswered(searching, "search")
        with suppress(RetryLater):
            writing.admit(Lane.HANDOFF, "write")
            writing.answered(Usage())
            written += 1
    assert written == 30


def test_a_side_that_fails_while_a_pause_is_to_last_does_not_end_it(
    worker: Callable[..., Budget], clock: ManualClock
) -> None:
    budget = worker(BY_DAY)
    budget.admit(Lane.UPDATE, "write")
    budget.answered(Usage(), SPENT)
    clock.advance(901)
    unanswered(budget)
    assert refusal(budget).reason == SPENT.reason
    clock.advance(901)
    unanswered(budget)
    assert refusal(budget).after_seconds == pytest.approx(900)


def test_one_that_asks_and_was_too_fast_was_answered(
    worker: Callable[..., Budget], clock: ManualClock
) -> None:
    budget = worker(BY_DAY)
    unanswered(budget)
    unanswered(budget, later=RetryLater("too many calls", 10, concerns="calls"))
    unanswered(budget)
    call(budget)


def test_a_worker_whose_clock_is_ahead_asks_early_and_its_answer_counts_for_all(
    worker: Callable[..., Budget], clock: ManualClock
) -> None:
    ahead = worker(clock=ManualClock(NOON_MS + 2 * HOUR_MS))
    behind = worker()
    unanswered(behind, later=RetryLater("moving", 3_600, concerns="side", until_seconds=3_600))
    assert refusal(behind).after_seconds == pytest.approx(3_600)
    call(ahead)
    call(behind)


def test_a_clock_that_is_put_back_holds_up_nobody_for_longer_than_a_pause(
    worker: Callable[..., Budget], clock: ManualClock
) -> None:
    early = worker(clock=ManualClock(NOON_MS + 30 * DAY_MS))
    call(early)
    unanswered(early)
    unanswered(early)
    late = worker()
    late.admit(Lane.HANDOFF, "write")  # another kind of call asks at once
    late.answered(Usage())
    call(late)
    assert clock.now_ms() == NOON_MS


def test_what_concerns_a_request_alone_stops_nobody(worker: Callable[..., Budget]) -> None:
    budget = worker()
    budget.admit(Lane.UPDATE, "write")
    budget.answered(Usage(), RetryLater("locked", 3))
    call(budget)


def test_a_new_worker_knows_what_the_others_were_told(
    worker: Callable[..., Budget], database: Database, clock: ManualClock
) -> None:
    first = worker()
    call(first, usage=Usage(day_used=10, day_limit=100))
    for _ in range(39):
        call(first)
        clock.advance(2)
    assert "(40 of 40)" in refusal(worker()).reason
    with database.read() as conn:
        assert sum(used_by_lane(conn, "map", clock.now_ms() - DAY_MS).values()) == 40
