"""The portal's own control endpoints under `/_sandbox/`: what people do in HubSpot's UI, as JSON over HTTP.

All POST, but GET `records?object=…`:
`records` {object, records: [{…, "id": … to update}], source?}, `archive` and `restore` {object, id},
`merge` {primary, other, object?}, `privacy-delete` {contact}, `forms` {email, form, properties?},
`associate` {from, from_id, to, to_id, type_id?}, `dissociate` {from, from_id, to, to_id},
`owners` {email, first_name?, last_name?}, `properties` {object, name, type, …},
`validation-rules` {object, name (of the property), pattern, message},
`webhooks` {url, secret?, generic?: object.… events},
`journal` {append?: [event, …], cut?: true, lose?: true, file_seconds?, most_events?},
`settings` {backward_lifecycle, sync_deals, …; limits: {burst, …}}.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from connector.sandbox.hubspot.problems import Problem
from connector.sandbox.wording import of_keys

if TYPE_CHECKING:
    from connector.sandbox.hubspot.portal import HubSpotPortal

Given = Mapping[str, Any]
_SWITCHES = (
    "default_stage",
    "backward_lifecycle",
    "follow_merged_ids",
    "keep_primary_id",
    "sync_deals",
    "touch_on_associate",
)
_LIMITS = ("burst", "burst_seconds", "oauth_burst", "daily", "searches_per_second")


def control(portal: HubSpotPortal, method: str, action: str, query: Given, given: Given) -> tuple[int, Any]:
    """Status and body of one control request."""
    try:
        if (method, action) == ("GET", "records"):
            return 200, {"records": portal.rows(query["object"][-1])}
        run = ACTIONS.get(action)
        if method != "POST" or run is None:
            return 404, {"error": f"no control endpoint {method} {action}; see {', '.join(sorted(ACTIONS))}"}
        return 200, run(portal, given)
    except KeyError as error:
        return 400, {"error": f"missing or unknown: {error}"}
    except (Problem, TypeError, ValueError) as error:
        return 400, {"error": of_keys(error)}


def _records(portal: HubSpotPortal, given: Given) -> Any:
    name, source = given["object"], given.get("source", "CRM_UI")
    ids: list[str] = []
    for each in given["records"]:
        values = {key: value for key, value in each.items() if key != "id"}
        if "id" in each:
            portal.update(name, str(each["id"]), source=source, **values)
            ids.append(str(each["id"]))
        else:
            ids.append(portal.create(name, source=source, **values))
    return {"ids": ids}


def _archive(portal: HubSpotPortal, given: Given) -> Any:
    portal.archive(given["object"], str(given["id"]))
    return {}


def _restore(portal: HubSpotPortal, given: Given) -> Any:
    portal.restore(given["object"], str(given["id"]))
    return {}


def _merge(portal: HubSpotPortal, given: Given) -> Any:
    survivor = portal.merge(str(given["primary"]), str(given["other"]), given.get("object", "contacts"))
    return {"id": survivor}


def _privacy_delete(portal: HubSpotPortal, given: Given) -> Any:
    portal.privacy_delete(str(given["contact"]))
    return {}


def _forms(portal: HubSpotPortal, given: Given) -> Any:
    return {"id": portal.submit_form(given["email"], given["form"], **given.get("properties", {}))}


def _associate(portal: HubSpotPortal, given: Given) -> Any:
    one, other = str(given["from_id"]), str(given["to_id"])
    portal.associate(given["from"], one, given["to"], other, given.get("type_id"))
    return {}


def _dissociate(portal: HubSpotPortal, given: Given) -> Any:
    portal.dissociate(given["from"], str(given["from_id"]), given["to"], str(given["to_id"]))
    return {}


def _owners(portal: HubSpotPortal, given: Given) -> Any:
    names = given.get("first_name", ""), given.get("last_name", "")
    return {"id": portal.add_owner(given["email"], *names)}


def _properties(portal: HubSpotPortal, given: Given) -> Any:
    rest = {key: value for key, value in given.items() if key not in ("object", "name")}
    portal.add_property(given["object"], given["name"], **rest)
    return {}


def _validation_rules(portal: HubSpotPortal, given: Given) -> Any:
    portal.add_validation_rule(given["object"], given["name"], given["pattern"], given["message"])
    return {"name": given["name"]}


def _webhooks(portal: HubSpotPortal, given: Given) -> Any:
    portal.crm.webhooks.subscribe(**given)
    return {}


def _journal(portal: HubSpotPortal, given: Given) -> Any:
    journal = portal.crm.journal
    for name in ("file_seconds", "most_events"):
        if name in given:
            setattr(journal, name, type(getattr(journal, name))(given[name]))
    for event in given.get("append", ()):
        journal.append(event, portal.crm.now_ms())
    if given.get("cut"):
        journal.cut_next()
    if given.get("lose"):
        journal.lose()
    return {"files": len(journal.files)}


def _settings(portal: HubSpotPortal, given: Given) -> Any:
    for name, value in given.items():
        if name == "limits":
            for limit, number in value.items():
                if limit not in _LIMITS:
                    raise ValueError(f"unknown limit {limit!r}; there are: {', '.join(_LIMITS)}")
                setattr(portal.limits, limit, number)
        elif name in _SWITCHES:
            setattr(portal.crm, name, value)
        else:
            raise ValueError(f"unknown setting {name!r}; there are: limits, {', '.join(_SWITCHES)}")
    return {name: getattr(portal.crm, name) for name in _SWITCHES}


ACTIONS: Mapping[str, Callable[[HubSpotPortal, Given], Any]] = {
    "records": _records,
    "archive": _archive,
    "restore": _restore,
    "merge": _merge,
    "privacy-delete": _privacy_delete,
    "forms": _forms,
    "associate": _associate,
    "dissociate": _dissociate,
    "owners": _owners,
    "properties": _properties,
    "validation-rules": _validation_rules,
    "webhooks": _webhooks,
    "journal": _journal,
    "settings": _settings,
}
