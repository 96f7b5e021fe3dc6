"""The association APIs: v4 and its dated paths, v3's batches (hubspot.md section 11)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from connector.sandbox.hubspot.associations import TYPES, AssociationType, default_type
from connector.sandbox.hubspot.calls import Answer, Call, batch_answer
from connector.sandbox.hubspot.crm import Crm
from connector.sandbox.hubspot.problems import Problem, no_such_path, not_valid
from connector.sandbox.hubspot.table import Table
from connector.sandbox.hubspot.times import iso
from connector.sandbox.hubspot.writing import associate

MOST_READ = 1_000
MOST_CREATED = 2_000
MOST_ARCHIVED = 100


def batches(crm: Crm, call: Call) -> Answer:
    """`/crm/v4/associations/{from}/{to}/batch/…` and the v3 paths of the same form. Raises Problem."""
    if call.method == "POST" and len(call.parts) >= 4 and call.parts[2] == "batch":
        pair = crm.table(call.parts[0]), crm.table(call.parts[1])
        action = "/".join(call.parts[3:])
        run = (_V3 if call.version == "v3" else _V4).get(action)
        if run is not None:
            return run(crm, *pair, call)
    if call.method == "GET" and call.parts[2:] in (("labels",), ("types",)):
        pair = crm.table(call.parts[0]), crm.table(call.parts[1])
        found = [each for each in TYPES.values() if (each.origin, each.target) == _names(*pair)]
        return Answer(200, {"results": [_spec(each) for each in found]})
    raise no_such_path()


def of_record(crm: Crm, call: Call) -> Answer:
    """`/crm/v4/objects/{type}/{id}/associations/…`. Raises Problem."""
    match (call.method, *call.parts):
        case ("GET", name, record_id, "associations", target_name):
            origin, target = crm.table(name), crm.table(target_name)
            record = crm.find(origin, record_id)
            return Answer(200, {"results": _linked(crm, origin, record.record_id, target)})
        case ("PUT", name, record_id, "associations", "default", target_name, target_id):
            return _one_default(crm, crm.table(name), record_id, crm.table(target_name), target_id)
        case ("PUT", name, record_id, "associations", target_name, target_id):
            origin, target = crm.table(name), crm.table(target_name)
            given = {"from": {"id": record_id}, "to": {"id": target_id}, "types": call.json_list()}
            return Answer(201, _labelled(crm, origin, target, given))
        case ("DELETE", name, record_id, "associations", target_name, target_id):
            origin, target = crm.table(name), crm.table(target_name)
            one, other = crm.find(origin, record_id), crm.find(target, target_id)
            crm.associations.unlink(origin.kind.name, one.record_id, target.kind.name, other.record_id)
            return Answer(204)
    raise no_such_path()


def _names(origin: Table, target: Table) -> tuple[str, str]:
    return origin.kind.name, target.kind.name


def _spec(kind: AssociationType) -> dict[str, Any]:
    return {"category": "HUBSPOT_DEFINED", "typeId": kind.type_id, "label": kind.label}


def _linked(crm: Crm, origin: Table, record_id: int, target: Table) -> list[dict[str, Any]]:
    linked = crm.associations.of(origin.kind.name, record_id, target.kind.name)
    return [
        {
            "toObjectId": str(target_id),
            "associationTypes": [_spec(TYPES[each]) for each in sorted(type_ids)],
        }
        for target_id, type_ids in sorted(linked.items())
        if target.live(target_id) is not None
    ]


def _end(given: Mapping[str, Any], side: str) -> str:
    end = given.get(side)
    record_id = end.get("id") if isinstance(end, dict) else None
    if not isinstance(record_id, str | int):
        raise not_valid(f"Invalid input JSON: every input needs {side}.id")
    return str(record_id)


def _pair(crm: Crm, origin: Table, target: Table, given: Mapping[str, Any]) -> tuple[int, int]:
    """The ids of both ends. Raises Problem when one does not exist."""
    ends: list[int] = []
    for table, side in ((origin, "from"), (target, "to")):
        record_id = _end(given, side)
        record = crm.lookup(table, record_id)
        if record is None:
            raise Problem(
                404,
                f"No {table.kind.singular} with ID {record_id} exists",
                "OBJECT_NOT_FOUND",
                {
                    "subCategory": f"crm.associations.{side.upper()}_OBJECT_NOT_FOUND",
                    "context": {"objectType": [table.kind.singular], "id": [record_id]},
                },
            )
        ends.append(record.record_id)
    return ends[0], ends[1]


def _default(origin: Table, target: Table) -> AssociationType:
    kind = default_type(*_names(origin, target))
    if kind is None:
        raise not_valid(f"{origin.kind.name} and {target.kind.name} cannot be associated")
    return kind


def _missing(problem: Problem) -> dict[str, Any]:
    """A missing end as one of a batch's errors (recorded for v3)."""
    named = {"status": "error", "category": problem.category, "message": problem.message}
    return named | problem.extra


def _each(
    crm: Crm, call: Call, most: int, status: int, link: Callable[[Mapping[str, Any]], list[dict[str, Any]]]
) -> Answer:
    started = iso(crm.now_ms())
    results: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    for given in call.inputs(most):
        try:
            results += link(given)
        except Problem as problem:
            if problem.status != 404:
                raise
            errors.append(_missing(problem))
    return batch_answer(started, iso(crm.now_ms()), results, errors, status)


def _read(crm: Crm, origin: Table, target: Table, call: Call) -> Answer:
    started = iso(crm.now_ms())
    results: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    for given in call.inputs(MOST_READ):
        record_id = str(given.get("id", ""))
        linked = _linked(crm, origin, int(record_id), target) if record_id.isdecimal() else []
        if linked:
            results.append({"from": {"id": record_id}, "to": linked})
        else:
            errors.append(
                {
                    "status": "error",
                    "category": "OBJECT_NOT_FOUND",
                    "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
                    "message": f"No {target.kind.singular} is associated with "
                    f"{origin.kind.singular} {record_id}.",
                    "context": {"fromObjectId": [record_id]},
                }
            )
    return batch_answer(started, iso(crm.now_ms()), results, errors)


def _create(crm: Crm, origin: Table, target: Table, call: Call) -> Answer:
    status = 200 if call.rules else 201  # the specs of 2026-09 say 200, the earlier ones 201
    return _each(crm, call, MOST_CREATED, status, lambda given: [_labelled(crm, origin, target, given)])


def _labelled(crm: Crm, origin: Table, target: Table, given: Mapping[str, Any]) -> dict[str, Any]:
    one, other = _pair(crm, origin, target, given)
    labels: list[str] = []
    for each in given.get("types") or []:
        kind = TYPES.get(each.get("associationTypeId", 0))
        if kind is None or (kind.origin, kind.target) != _names(origin, target):
            raise not_valid(f"{each.get('associationTypeId')} is not an association type of these objects")
        associate(crm, kind, one, other)
        labels += [kind.label] if kind.label else []
    return {
        "fromObjectTypeId": origin.kind.type_id,
        "fromObjectId": str(one),
        "toObjectTypeId": target.kind.type_id,
        "toObjectId": str(other),
        "labels": labels,
    }


def _both_ways(kind: AssociationType, one: int, other: int) -> list[dict[str, Any]]:
    return [
        {
            "from": {"id": str(start)},
            "to": {"id": str(end)},
            "associationSpec": {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id},
        }
        for start, end, type_id in ((one, other, kind.type_id), (other, one, kind.inverse))
    ]


def _create_default(crm: Crm, origin: Table, target: Table, call: Call) -> Answer:
    kind = _default(origin, target)

    def link(given: Mapping[str, Any]) -> list[dict[str, Any]]:
        one, other = _pair(crm, origin, target, given)
        associate(crm, kind, one, other)
        return _both_ways(kind, one, other)

    return _each(crm, call, MOST_CREATED, 200, link)


def _one_default(crm: Crm, origin: Table, one_id: str, target: Table, other_id: str) -> Answer:
    kind = _default(origin, target)
    one, other = _pair(crm, origin, target, {"from": {"id": one_id}, "to": {"id": other_id}})
    associate(crm, kind, one, other)
    now = iso(crm.now_ms())
    return batch_answer(now, now, _both_ways(kind, one, other))


def _archive(crm: Crm, origin: Table, target: Table, call: Call) -> Answer:
    started = iso(crm.now_ms())
    for given in call.inputs(MOST_ARCHIVED):
        ends = given.get("to")
        for end in ends if isinstance(ends, list) else [ends]:
            one, other = _end(given, "from"), _end({"to": end}, "to")
            if one.isdecimal() and other.isdecimal():
                crm.associations.unlink(origin.kind.name, int(one), target.kind.name, int(other))
    if call.version in ("v3", "v4"):
        return Answer(204)
    return batch_answer(started, iso(crm.now_ms()), [])  # as the specs of the dated versions have it


def _create_v3(crm: Crm, origin: Table, target: Table, call: Call) -> Answer:
    """v3 names the type in words and answers both directions (recorded)."""
    kind = _default(origin, target)

    def link(given: Mapping[str, Any]) -> list[dict[str, Any]]:
        one, other = _pair(crm, origin, target, given)
        associate(crm, kind, one, other)
        there = f"{origin.kind.singular}_to_{target.kind.singular}"
        back = f"{target.kind.singular}_to_{origin.kind.singular}"
        return [
            {"from": {"id": str(one)}, "to": {"id": str(other)}, "type": there},
            {"from": {"id": str(other)}, "to": {"id": str(one)}, "type": back},
        ]

    return _each(crm, call, MOST_CREATED, 201, link)


def _read_v3(crm: Crm, origin: Table, target: Table, call: Call) -> Answer:
    answer = _read(crm, origin, target, call)
    kind = f"{origin.kind.singular}_to_{target.kind.singular}"
    for result in answer.body["results"]:
        result["to"] = [{"id": each["toObjectId"], "type": kind} for each in result["to"]]
    return answer


_Action = Callable[[Crm, Table, Table, Call], Answer]
_V4: Mapping[str, _Action] = {
    "read": _read,
    "create": _create,
    "associate/default": _create_default,
    "archive": _archive,
}
_V3: Mapping[str, _Action] = {"read": _read_v3, "create": _create_v3, "archive": _archive}
