"""Tables of the documentation that are made from the code, the presets and deploy/, never typed.

`python -m tests.docs.tables` writes them into the pages, between `<!-- table: NAME -->` and `<!-- end -->`;
`test_tables.py` fails when a page is not current.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from connector.configuration import load_configuration
from mappings.object_mapping import ObjectMapping
from mappings.stage_fields import StageField
from mappings.stages import EDGES, Need, Outcome, Stage
from tests.docs.pages import PAGES, ROOT, name_of, text_of
from tests.docs.salesforce_metadata import DeployedField, fields_of
from tests.stories import on_hubspot, on_salesforce
from tests.stories.document import read_story
from tests.stories.sentences import Sentence

MARK = re.compile(r"(<!-- table: ([\w -]+) -->\n).*?(<!-- end -->)", re.DOTALL)

_NEEDS: Mapping[Need, str] = {
    "gate": "a passed gate, or a fast track",
    "owner": "an owner",
    "person": "an owner who is a person",
    "reason": "a reason",
    "outcome": "an outcome; a reason when lost",
}
_EVERY = tuple(Stage)
_SHIPPED = load_configuration(None)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"|{'|'.join(f' {cell} ' if cell else ' ' for cell in line)}|\n" for line in lines)


def moves() -> str:
    """The stage graph."""
    rows = []
    for edge in EDGES:
        origins = "any" if edge.origins == _EVERY else _names(edge.origins)
        needs = ", ".join(_NEEDS[need] for need in edge.needs)
        if edge.forward_only:
            origins += " (forward only)"
        rows.append(
            (
                origins,
                _names(edge.targets),
                ", ".join(edge.causes),
                needs,
                "new" if edge.new_cycle else "same",
            )
        )
    return table(("from", "to", "caused by", "needs", "cycle"), rows)


def stages() -> str:
    """What the shipped mapping writes into the native fields in every stage."""
    status = _stage_field("salesforce", "Lead", "Status")
    lifecycle = _stage_field("hubspot", "contacts", "lifecyclestage")
    lead_status = _stage_field("hubspot", "contacts", "hs_lead_status")
    rows = []
    for stage in Stage:
        outcomes: tuple[Outcome | None, ...] = ("won", "lost") if stage is Stage.CLOSED else (None,)
        for outcome in outcomes:
            written = [_code(field.spelling(stage, outcome)) for field in (status, lifecycle, lead_status)]
            rows.append((f"`{stage}`" + (f" ({outcome})" if outcome else ""), *written))
    return table(("stage", "`Lead.Status`", "`lifecyclestage`", "`hs_lead_status`"), rows)


def native_values(side: str, object_name: str, native: str) -> str:
    """What each value of a native stage field stands for."""
    field = _stage_field(side, object_name, native)
    rows = []
    for value, said in field.values.items():
        means = f"`{said.means}`" if said.means and field.claims else "nothing"
        written = "never" if said.never_write else "when needed"
        stands_for = "any" if set(said.stages) == set(Stage) else _names(said.stages)
        rows.append((f"`{value}`", stands_for, means, written))
    return table(("value", "goes with", "when somebody sets it, it means", "leadloop writes it"), rows)


def reasons() -> str:
    """The shipped rejection reasons and what follows."""
    rows = []
    for reason in _SHIPPED.rules.reasons.values():
        days = f"{reason.cooling_off_days} days" if reason.cooling_off_days else ""
        rows.append((f"`{reason.name}`", reason.then, days, reason.track or ""))
    return table(("reason", "then", "cooling off", "nurture track"), rows)


def salesforce_fields() -> str:
    """The custom fields in deploy/salesforce."""
    rows = [(f"`{each.name}`", each.label, _salesforce_type(each), each.help) for each in _in_order()]
    return table(("field", "label", "type", "help text"), rows)


def hubspot_properties() -> str:
    """The properties in deploy/hubspot."""
    text = (ROOT / "deploy" / "hubspot" / "properties.json").read_text(encoding="utf-8")
    rows = []
    for each in json.loads(text)["inputs"]:
        kind = f"{each['type']}, {each['fieldType']}" + (", unique" if each.get("hasUniqueValue") else "")
        if "options" in each:
            kind += ": " + ", ".join(f"`{option['value']}`" for option in each["options"])
        rows.append((f"`{each['name']}`", each["label"], kind))
    return table(("property", "label", "type, field type"), rows)


def access(side: str) -> str:
    """Which native fields of each object the shipped mapping reads, and which of them it writes."""
    rows = []
    for mapped in _SHIPPED.mapping.sides[side].objects.values():
        written = _written(mapped)
        read = [name for name in mapped.natives if name not in written]
        rows.append((f"`{mapped.object}`", _listed(read), _listed(written)))
    return table(("object", "reads only", "reads and writes"), rows)


def stories() -> str:
    """The acceptance stories, by their titles."""
    rows = []
    for path in sorted((ROOT / "tests" / "stories").glob("*.yaml")):
        told = read_story(path).told
        rows.append((f"[{told.story}](../tests/stories/{path.name})", " ".join((told.tells or "").split())))
    return table(("story", "it tells"), sorted(rows))


def sentences(of_place: Iterable[Sentence]) -> str:
    """What can be done in a story."""
    fields = {"no": "", "may": "if wanted", "must": "needed"}
    return table(
        ("sentence", "does", "fields"),
        [
            (f"`{re.sub(r'[{}]', lambda brace: '<' if brace[0] == '{' else '>', each.form)}`", each.meaning,
             fields[each.fields])
            for each in of_place
        ],
    )  # fmt: skip


TABLES: Mapping[str, Callable[[], str]] = {
    "moves": moves,
    "stages": stages,
    "Status": lambda: native_values("salesforce", "Lead", "Status"),
    "lifecyclestage": lambda: native_values("hubspot", "contacts", "lifecyclestage"),
    "hs_lead_status": lambda: native_values("hubspot", "contacts", "hs_lead_status"),
    "reasons": reasons,
    "salesforce fields": salesforce_fields,
    "salesforce access": lambda: access("salesforce"),
    "hubspot properties": hubspot_properties,
    "hubspot access": lambda: access("hubspot"),
    "stories": stories,
    "sentences on salesforce": lambda: sentences(on_salesforce.SENTENCES),
    "sentences on hubspot": lambda: sentences(on_hubspot.SENTENCES),
}


def current(text: str) -> str:
    """A page with its tables made anew. Raises KeyError for a name that is no table."""
    return MARK.sub(lambda found: found[1] + "\n" + TABLES[found[2]]() + "\n" + found[3], text)


def write_pages() -> list[str]:
    """Bring every page up to date; returns the names of those that were not."""
    changed = []
    for page in PAGES:
        before = text_of(page)
        after = current(before)
        if after != before:
            page.write_text(after, encoding="utf-8")
            changed.append(name_of(page))
    return changed


def _stage_field(side: str, object_name: str, native: str) -> StageField:
    mapped = _SHIPPED.mapping.sides[side].objects[object_name]
    return next(field for field in mapped.stage_fields if field.native == native)


def _names(found: Iterable[Stage]) -> str:
    chosen = set(found)
    return ", ".join(f"`{stage}`" for stage in Stage if stage in chosen)


def _code(native: str | None) -> str:
    return f"`{native}`" if native is not None else "left as it is"


def _in_order() -> list[DeployedField]:
    """The fields in the order in which the mapping names them, the verdict last."""
    outputs = [pair.native for pair in _SHIPPED.mapping.sides["salesforce"].objects["Lead"].outputs]
    found = fields_of("Lead")
    return [found[name] for name in sorted(found, key=lambda name: _place(outputs, name))]


def _place(outputs: Sequence[str], name: str) -> tuple[int, str]:
    return (outputs.index(name), "") if name in outputs else (len(outputs), name)


def _salesforce_type(field: DeployedField) -> str:
    if field.type == "Text":
        unique = ", unique, external id" if field.unique and field.external_id else ""
        return f"Text({field.length}){unique}"
    if field.type == "Number":
        return f"Number({field.precision - field.scale}, {field.scale})"
    if field.type == "Picklist":
        kind = "Picklist" if field.restricted else "Picklist, not restricted"
        return f"{kind}: " + ", ".join(f"`{value}`" for value in field.values)
    return {"DateTime": "Date/Time"}[field.type]


def _written(mapped: ObjectMapping) -> list[str]:
    if mapped.role != "person":
        return []
    names = [pair.native for pair in mapped.pairs if pair.writes]
    names += [field.native for field in mapped.stage_fields]
    if mapped.verdict is not None:
        verdict = mapped.verdict
        given = (verdict.field, verdict.reason.native if verdict.reason else None, verdict.comment)
        names += [name for name in given if name is not None]
    names += [pair.native for pair in mapped.outputs]
    return list(dict.fromkeys(names))


def _listed(names: Sequence[str]) -> str:
    own = [name for name in names if name.lower().startswith("leadloop_")]
    others = ", ".join(f"`{name}`" for name in names if name not in own)
    if not own:
        return others or "nothing"
    return f"{others}, and the {len(own)} leadloop fields"


if __name__ == "__main__":
    for name in write_pages():
        print(f"brought up to date: {name}")
