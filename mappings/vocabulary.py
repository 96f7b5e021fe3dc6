"""Vocabulary: what a team calls the canonical stages. Labels for people; rules use the canonical names.

Every stage has exactly one label; several stages may share one where a team does not tell them apart. Pure:
texts come in as sources.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import resources
from types import MappingProxyType
from typing import Annotated, Any, Final

from pydantic import Field

from mappings.problems import ConfigError, ConfigErrors, did_you_mean
from mappings.source import Source, parse
from mappings.stages import Stage
from mappings.validation import Strict, validate

Label = Annotated[str, Field(min_length=1, max_length=60)]

_STAGES: Final = tuple(stage.value for stage in Stage)
_OUTCOMES: Final = tuple(f"{Stage.CLOSED} {outcome}" for outcome in ("won", "lost"))


class VocabularyDocument(Strict):
    """A vocabulary: its name, and the label of every stage. `closed won` and `closed lost` may have one."""

    vocabulary: Label
    labels: dict[str, Label]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The labels by stage (and by 'closed won', 'closed lost')."""

    name: str
    labels: Mapping[str, str]
    _shared: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        times = Counter(self.labels[stage] for stage in _STAGES)
        object.__setattr__(self, "_shared", frozenset(label for label, count in times.items() if count > 1))

    def label(self, stage: str, outcome: str | None = None) -> str:
        """What the team calls a stage; what is no stage stays as it is."""
        return self.labels.get(f"{stage} {outcome}") or self.labels.get(stage, stage)

    def shown(self, stage: str, outcome: str | None = None) -> str:
        """The label, with the canonical name behind it where several stages have the same label."""
        label = self.label(stage, outcome)
        return f"{label} ({stage})" if label in self._shared and label != stage else label


CANONICAL: Final = Vocabulary("canonical", MappingProxyType({stage: stage for stage in _STAGES}))
"""leadloop's own names."""


def load_vocabulary(source: Source) -> Vocabulary:
    """Compile a vocabulary document. Raises ConfigErrors with everything that is wrong."""
    document = parse(source)
    model = validate(VocabularyDocument, document)
    known = (*_STAGES, *_OUTCOMES)
    errors: list[ConfigError] = [
        document.error(("labels", name), f'unknown stage "{name}"', did_you_mean(name, known), key=True)
        for name in model.labels
        if name not in known
    ]
    lacking = [stage for stage in _STAGES if stage not in model.labels]
    if lacking:
        errors.append(document.error(("labels",), f"no label for {', '.join(lacking)}", key=True))
    if errors:
        raise ConfigErrors(sorted(errors, key=lambda error: (error.line, error.column)))
    return Vocabulary(model.vocabulary, MappingProxyType(dict(model.labels)))


def shipped_vocabularies() -> list[str]:
    """The names of the vocabularies that come with leadloop."""
    return sorted(_names())


def vocabulary_text(name: str) -> str:
    """The text of a shipped vocabulary. Raises KeyError when there is none of that name."""
    place = resources.files("mappings").joinpath("vocabularies", f"{name}.yaml")
    if "/" in name or not place.is_file():
        raise KeyError(name)
    return place.read_text(encoding="utf-8")


def labelled(data: Any, vocabulary: Vocabulary) -> Any:
    """A copy of a command's data for people: every stage in it with its label. Anything else stays."""
    if vocabulary is CANONICAL:
        return data
    if isinstance(data, list):
        return [labelled(item, vocabulary) for item in data]
    if not isinstance(data, dict):
        return data
    outcome = data.get("outcome")
    found: dict[Any, Any] = {}
    for key, value in data.items():
        if key in _STAGE_KEYS and isinstance(value, str):
            found[key] = vocabulary.shown(value, outcome if value == Stage.CLOSED else None)
        elif key == "skipped" and isinstance(value, list):
            found[key] = [vocabulary.shown(item) if isinstance(item, str) else item for item in value]
        elif key == "stages" and isinstance(value, dict):
            found[key] = {vocabulary.shown(stage): number for stage, number in value.items()}
        else:
            found[key] = labelled(value, vocabulary)
    return found


_STAGE_KEYS: Final = ("stage", "stage_after", "from", "to")
"""The keys under which commands say a stage."""


def _names() -> Iterator[str]:
    for place in resources.files("mappings").joinpath("vocabularies").iterdir():
        if place.name.endswith(".yaml"):
            yield place.name.removesuffix(".yaml")
