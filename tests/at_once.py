"""At once: calls made at the same moment, each in a thread of its own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

Given = TypeVar("Given")
Got = TypeVar("Got")

_SECONDS = 60


def at_once(work: Callable[[Given], Got], given: list[Given]) -> list[Got]:
    """`work` on each of them, all begun together; raises what one of them raised."""
    start = Barrier(len(given))

    def begin(one: Given) -> Got:
        start.wait(_SECONDS)
        return work(one)

    with ThreadPoolExecutor(len(given), thread_name_prefix="at-once") as threads:
        begun = [threads.submit(begin, one) for one in given]
        return [each.result(_SECONDS) for each in begun]
