"""Memory: how a process that works for days has its garbage collected."""

from __future__ import annotations

import gc

_NEW_OBJECTS = 50_000
"""Container objects made before Python looks for cycles among them; Python's own 700 are fewer than one page
of records has, all of which live until they are stored."""


def collect_seldom() -> None:
    """Look for cyclic garbage seldom, and never again among what has been loaded so far.

    leadloop makes hardly any cycles: what it reads is freed by reference counts as soon as it is stored.
    Looking anyway takes a third as much again of the CPU of reading, for memory that stays the same
    (measured by `make bench`). Does nothing the second time."""
    if gc.get_freeze_count():
        return
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, 20, 100)
