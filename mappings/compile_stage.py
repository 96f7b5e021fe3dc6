"""Compile one stage field: what each native value stands for, checked against the canonical stages."""

from __future__ import annotations

from types import MappingProxyType
from typing import Literal

from mappings.document import StageFieldDocument
from mappings.problems import ConfigError, Path, did_you_mean
from mappings.source import Document
from mappings.stage_fields import StageField, StageValue
from mappings.stages import Stage

_NAMES = tuple(stage.value for stage in Stage)
_OUTCOMES = {f"{Stage.CLOSED} {outcome}": Stage.CLOSED for outcome in ("won", "lost")}
_REJECTED: Literal["rejected"] = "rejected"


def compile_stage_field(
    document: Document, path: Path, field: StageFieldDocument, errors: list[ConfigError]
) -> StageField:
    """The stage field at `path`; what is wrong is appended to `errors`."""

    def error(where: Path, message: str, hint: str = "", *, key: bool = False) -> None:
        errors.append(document.error((*path, *where), message, hint, key=key))

    def stages(names: list[str], where: Path) -> frozenset[Stage]:
        for index, name in enumerate(names):
            if name not in _NAMES:
                error((*where, index), f'unknown stage "{name}"', did_you_mean(name, _NAMES))
        return frozenset(Stage(name) for name in names if name in _NAMES)

    values: dict[str, StageValue] = {}
    for native, value in field.values.items():
        where: Path = ("values", native)
        compatible = stages(value.stages, (*where, "stages"))
        means: Stage | Literal["rejected"] | None = None
        if value.means == _REJECTED:
            means = _REJECTED
            if not compatible & {Stage.NURTURE, Stage.DISQUALIFIED}:
                error(
                    (*where, "means"),
                    f'"{native}" means rejected, so it must go with nurture or disqualified',
                    "name one of them under stages",
                )
        elif value.means is not None:
            if value.means not in _NAMES:
                error(
                    (*where, "means"),
                    f'unknown stage "{value.means}"',
                    did_you_mean(value.means, (*_NAMES, _REJECTED)),
                )
            else:
                means = Stage(value.means)
                if means not in compatible:
                    error(
                        (*where, "means"),
                        f'"{native}" means {means}, but does not go with it',
                        f"add {means} to its stages",
                    )
        if value.outcome is not None and Stage.CLOSED not in compatible:
            error((*where, "outcome"), f'"{native}" has an outcome, but does not go with closed', key=True)
        values[native] = StageValue(compatible, means, value.never_write, value.outcome)
    if not values:
        error(("values",), "a stage field needs its values", key=True)
    for index, native in enumerate(field.never_from):
        if native not in values:
            error(("never_from", index), f'unknown value "{native}"', did_you_mean(native, values))
    _check_overrides(document, path, field, values, errors)
    return StageField(
        native=field.field,
        claims=field.claims,
        values=MappingProxyType(values),
        backward=field.backward,
        never_from=frozenset(field.never_from),
        blank_stages=stages(field.blank, ("blank",)),
        overrides=MappingProxyType(dict(field.write)),
    )


def _check_overrides(
    document: Document,
    path: Path,
    field: StageFieldDocument,
    values: dict[str, StageValue],
    errors: list[ConfigError],
) -> None:
    """`write:` names stages and values that go with them, or nothing: then that stage is never written."""
    for name, native in field.write.items():
        where = (*path, "write", name)
        if name not in _NAMES and name not in _OUTCOMES:
            hint = did_you_mean(name, (*_NAMES, *_OUTCOMES))
            errors.append(document.error(where, f'unknown stage "{name}"', hint, key=True))
        elif native is None:
            continue
        elif native not in values:
            errors.append(document.error(where, f'unknown value "{native}"', did_you_mean(native, values)))
        elif _OUTCOMES.get(name, name) not in values[native].stages:
            errors.append(
                document.error(where, f'"{native}" does not go with {name}', f"add {name} to its stages")
            )
