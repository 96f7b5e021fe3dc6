"""Stage fields: what the native values of one field of a platform say about a lead's stage.

`Open` stands for several stages and means none of them: so every native value has the set of stages that it
is compatible with, and the one that it means when somebody sets it. Pure data and look-ups.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal

from mappings.stages import Outcome, Stage


@dataclass(frozen=True, slots=True)
class StageValue:
    """One native stage value: the canonical stages it is compatible with, and the one it means when somebody
    sets it ('rejected': a verdict; None: setting it claims nothing). `outcome`: it spells `closed` only when
    the outcome is this one."""

    stages: frozenset[Stage]
    means: Stage | Literal["rejected"] | None = None
    never_write: bool = False
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class StageField:
    """One native field that says something about the stage. `claims` False: it is written and never listened
    to. `backward` 'clear_first': an earlier value can be written only after a blank is confirmed.
    `blank_stages`: the stages with which a blank is compatible. The order of `values` is the platform's."""

    native: str
    claims: bool
    values: Mapping[str, StageValue]
    backward: Literal["free", "clear_first"] = "free"
    never_from: frozenset[str] = frozenset()
    blank_stages: frozenset[Stage] = frozenset()
    overrides: Mapping[str, str | None] = field(default_factory=lambda: MappingProxyType({}))

    def spelling(
        self, stage: Stage, outcome: Outcome | None = None, among: Collection[str] | None = None
    ) -> str | None:
        """The native value to write for a stage: the mapping's `write:` override, else the first value in
        file order that lists the stage and may be written. None: leave whatever stands there. `among`: the
        values that the platform offers, when that is known."""
        for name in (f"{stage} {outcome}", str(stage)):
            if name in self.overrides:
                native = self.overrides[name]
                return native if among is None or native is None or native in among else None
        for native, value in self.values.items():
            if (
                stage in value.stages
                and not value.never_write
                and (stage is not Stage.CLOSED or value.outcome in (None, outcome))
                and (among is None or native in among)
            ):
                return native
        return None

    def compatible(self, native: str | None, stage: Stage) -> bool | None:
        """Whether what stands in the field goes with the stage; None: the mapping does not know the value."""
        if native is None:
            return stage in self.blank_stages
        value = self.values.get(native)
        return None if value is None else stage in value.stages

    def rank(self, native: str | None) -> int | None:
        """The place of a value in the platform's order, from 0; None for blank and unknown values."""
        if native is None or native not in self.values:
            return None
        return tuple(self.values).index(native)

    def may_leave(self, native: str | None) -> bool:
        """Whether leadloop may replace this value: never one of `never_from`, and never an unknown one where
        going back needs a clear, because nobody can say which way back is."""
        if native is None:
            return True
        if native in self.never_from:
            return False
        return native in self.values or self.backward == "free"

    def needs_clear(self, native: str | None, target: str) -> bool:
        """Whether the field must be blanked, and that confirmed, before `target` can replace `native`."""
        if self.backward == "free":
            return False
        here, there = self.rank(native), self.rank(target)
        return here is not None and there is not None and there < here

    def offered(self, options: Collection[str]) -> StageField:
        """The same field on a platform that offers these values only: the others are read, never written."""
        kept = set(options)
        return replace(
            self,
            values=MappingProxyType(
                {
                    native: value if native in kept else replace(value, never_write=True)
                    for native, value in self.values.items()
                }
            ),
            overrides=MappingProxyType(
                {name: native for name, native in self.overrides.items() if native is None or native in kept}
            ),
        )
