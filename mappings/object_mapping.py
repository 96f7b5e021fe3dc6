"""Object mapping: what one object of one side has of a lead, and how its records are read and written.

Frozen plain data with the two translations: native fields to canonical values (`ObjectMapping.read`) and
canonical values to native ones (`ObjectMapping.write`). No I/O; objects and fields are names.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from collections.abc import Mapping as ReadOnly
from dataclasses import dataclass, field, replace
from typing import Literal

from mappings.stage_fields import StageField
from mappings.stages import Stage
from mappings.values import Fields, FieldType, NoSpelling, OwnerDirectory, Raw, Unreadable, Value

Reader = Callable[[Raw, OwnerDirectory, str | None], Value]
"""(raw, directory, the lead's country) -> canonical value. Raises Unreadable."""

Writer = Callable[[Value, OwnerDirectory, str | None], Raw]
"""(canonical value, directory, the lead's country) -> native value. Raises NoSpelling."""

Role = Literal["person", "opportunity", "opportunity_contact", "account", "sales_lead", "activity"]


@dataclass(frozen=True, slots=True)
class Pair:
    """A canonical field and its native one."""

    canonical: str
    native: str
    type: FieldType
    reads: bool
    writes: bool
    max_length: int | None = None
    reader: Reader = field(repr=False, compare=False, kw_only=True)
    writer: Writer = field(repr=False, compare=False, kw_only=True)

    def read(self, raw: Raw, directory: OwnerDirectory, country: str | None = None) -> Value:
        """The canonical value of a native one. `country` (alpha-2) is where a phone number or state is read
        in; None: the mapping's `default_country`. Raises Unreadable."""
        return None if raw is None else self.reader(raw, directory, country)

    def write(self, value: Value, directory: OwnerDirectory, country: str | None = None) -> Raw:
        """The native spelling of a canonical value; None (blank) stays None. Raises NoSpelling."""
        return None if value is None else self.writer(value, directory, country)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Where sales gives its verdict: a field that says accepted or rejected, with a reason and a comment.
    `values` is the native spelling to 'accepted' or 'rejected'. `reason.canonical` is 'rejection_reason'."""

    field: str
    values: ReadOnly[str, Literal["accepted", "rejected"]]
    reason: Pair | None = None
    comment: str | None = None

    @property
    def natives(self) -> tuple[str, ...]:
        """The native fields in which sales speaks: the verdict, the reason, the comment."""
        reason = self.reason.native if self.reason is not None else None
        return tuple(name for name in (self.field, reason, self.comment) if name is not None)

    def read(self, raw: Raw) -> Literal["accepted", "rejected"] | None:
        """What a native verdict says. Raises Unreadable for a value the mapping does not know."""
        if raw is None:
            return None
        verdict = self.values.get(str(raw).strip())
        if verdict is None:
            raise Unreadable(f'"{raw}" is no verdict (known: {", ".join(self.values)})')
        return verdict


@dataclass(frozen=True, slots=True)
class Counter:
    """A native number whose increase is an activity: of kind `activity`, dated by `at`, described by
    `detail` (both native fields, or None)."""

    counter: str
    activity: str
    at: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Attribute:
    """Something that a record says about an activity: the native field, and the type that rules see."""

    native: str
    type: FieldType


@dataclass(frozen=True, slots=True)
class ActivityRecord:
    """How a record of its own is an activity. `of`: the native fields that name the person's record. The kind
    is what `kinds` has for the value of `kind_field`, else `kind`; None: no activity. `when`: native field to
    the values, in text, of which it must show one. `at`: the native dates to take, the first that is filled
    in. `per`: each new value of this native field is an activity of its own. `history`: what happened before
    leadloop went live counts too."""

    of: tuple[str, ...]
    kind: str | None
    kind_field: str | None
    kinds: ReadOnly[str, str]
    when: ReadOnly[str, frozenset[str]]
    at: tuple[str, ...]
    per: str | None
    attributes: ReadOnly[str, Attribute]
    history: bool

    @property
    def all_kinds(self) -> tuple[str, ...]:
        """Every kind that a record can be."""
        return tuple(dict.fromkeys([*self.kinds.values(), *([self.kind] if self.kind is not None else [])]))

    @property
    def natives(self) -> list[str]:
        """All native fields that are read for it."""
        asked = [*self.of, *self.when, *self.at, *(name for name in (self.kind_field, self.per) if name)]
        return asked + [attribute.native for attribute in self.attributes.values()]


def shown_as(raw: Raw) -> str | None:
    """A native value as mapping documents spell it: true, false, or its text."""
    return None if raw is None else str(raw).lower() if isinstance(raw, bool) else str(raw)


@dataclass(frozen=True, slots=True)
class CreateRule:
    """When a lead is created on a platform that lacks it. `when` is a condition in the rules' language,
    compiled by rules/; it stands at `file`:`line`:`column`. `defaults`: canonical values for required
    fields of a lead that has none."""

    when: str
    defaults: ReadOnly[str, Value]
    file: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class FilterRule:
    """Which records of an object take part. `text` is a condition in the rules' language over the fields that
    the record itself shows; it stands at `file`:`line`:`column`."""

    text: str
    file: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Translated:
    """A record in canonical values. A native field that was absent is absent here; blank is None.
    `unreadable`: canonical name to why its native value could not be read."""

    values: dict[str, Value]
    unreadable: dict[str, str]


@dataclass(frozen=True, slots=True)
class Spelled:
    """Canonical values in native spelling. `no_spelling`: canonical name to why it cannot be written."""

    fields: dict[str, Raw]
    no_spelling: dict[str, str]


@dataclass(frozen=True, slots=True)
class ObjectMapping:
    """One object of one side. `pairs` are the lead's fields (of an opportunity: the facts about it),
    `outputs` the leadloop fields, whose canonical names are those of `mappings.document.LEADLOOP_FIELDS`.
    `created`: the native field with the record's birth, by which `primary` orders records. `account`: the
    native field with the id of the person's account on this side. `also_known_by`: identity field to the
    native field with more values of it, joined by semicolons. `reason`: where a sales lead says why sales
    gave the person back; its canonical name is 'rejection_reason'.
    `accepted_by_owner`: who takes a record that was handed over as its owner accepts the lead ('taken'), or
    whoever is made its owner ('given'). `stages`: what an open opportunity of this native stage means; the
    others mean `opportunity`."""

    side: str
    object: str
    role: Role
    precedence: int
    primary: Literal["oldest", "newest", "hold"]
    pairs: tuple[Pair, ...]
    outputs: tuple[Pair, ...] = ()
    stage_fields: tuple[StageField, ...] = ()
    verdict: Verdict | None = None
    counters: tuple[Counter, ...] = ()
    create: CreateRule | None = None
    created: str | None = None
    default_country: str | None = None
    activity: ActivityRecord | None = None
    filter: FilterRule | None = None
    accepted_by_owner: Literal["taken", "given"] | None = None
    stages: ReadOnly[str, Stage] = field(default_factory=dict)
    account: str | None = None
    also_known_by: ReadOnly[str, str] = field(default_factory=dict)
    reason: Pair | None = None
    natives: tuple[str, ...] = field(init=False)
    _plan: tuple[tuple[str, str, Reader], ...] = field(init=False, repr=False, compare=False)
    _country: str | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # a country is read before the phone numbers and states that are read in it
        reading = sorted((pair for pair in self.pairs if pair.reads), key=lambda pair: pair.type != "country")
        countries = [pair.canonical for pair in reading if pair.type == "country"]
        own = "country" if "country" in countries else countries[0] if countries else None
        object.__setattr__(self, "_plan", tuple((p.native, p.canonical, p.reader) for p in reading))
        object.__setattr__(self, "_country", own)
        object.__setattr__(self, "natives", tuple(dict.fromkeys(self._all_natives())))

    def _all_natives(self) -> list[str]:
        names = [pair.native for pair in self.pairs]
        names += [stage.native for stage in self.stage_fields]
        if self.verdict is not None:
            names += [self.verdict.field]
            names += [self.verdict.reason.native] if self.verdict.reason else []
            names += [self.verdict.comment] if self.verdict.comment else []
        names += [self.reason.native] if self.reason is not None else []
        names += self.also_known_by.values()
        names += [pair.native for pair in self.outputs]
        for counter in self.counters:
            names += [name for name in (counter.counter, counter.at, counter.detail) if name is not None]
        if self.activity is not None:
            names += self.activity.natives
        return names + [name for name in (self.created, self.account) if name is not None]

    def read(self, fields: Fields, directory: OwnerDirectory) -> Translated:
        """Translate a record's native fields. Never raises for a value: what cannot be read is reported."""
        values: dict[str, Value] = {}
        unreadable: dict[str, str] = {}
        country = self.default_country
        own_country = self._country
        for native, canonical, reader in self._plan:
            try:
                raw = fields[native]
            except KeyError:
                continue
            if raw is None:
                values[canonical] = None
                continue
            try:
                value = reader(raw, directory, country)
            except Unreadable as why:
                unreadable[canonical] = str(why)
                continue
            values[canonical] = value
            if canonical == own_country and value is not None:
                country = str(value)
        return Translated(values, unreadable)

    def write(self, values: ReadOnly[str, Value], directory: OwnerDirectory) -> Spelled:
        """Spell those of the canonical values that this object writes. Never raises for a value."""
        fields: dict[str, Raw] = {}
        no_spelling: dict[str, str] = {}
        country = values.get(self._country) if self._country is not None else None
        for pair in self.pairs:
            if pair.writes and pair.canonical in values:
                try:
                    fields[pair.native] = pair.write(
                        values[pair.canonical], directory, country if isinstance(country, str) else None
                    )
                except NoSpelling as why:
                    no_spelling[pair.canonical] = str(why)
        return Spelled(fields, no_spelling)

    def pair(self, canonical: str) -> Pair | None:
        """The pair of a canonical field, or None if this object does not have it."""
        return next((pair for pair in self.pairs if pair.canonical == canonical), None)

    def output(self, canonical: str) -> Pair | None:
        """The pair of a leadloop field, or None if this object does not have it."""
        return next((pair for pair in self.outputs if pair.canonical == canonical), None)

    def offered(self, options: ReadOnly[str, Collection[str] | None]) -> ObjectMapping:
        """The same object on a platform whose stage fields offer these values (native field to values)."""
        fields = tuple(
            stage if (kept := options.get(stage.native)) is None else stage.offered(kept)
            for stage in self.stage_fields
        )
        return replace(self, stage_fields=fields)
