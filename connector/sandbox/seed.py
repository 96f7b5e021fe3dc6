"""What a sandbox starts with: a YAML or JSON file of records per world, put in through the Python APIs.

```yaml
salesforce:
  fields: {Lead: [{name: Region__c, type: text, length: 40}]}
  validation_rules: {Lead: [{name: phone, when: "Rating = 'Hot' AND Phone = null", message: Phone?}]}
  User: [{name: Rosa Rep, email: rosa@sales.example}]
  Lead: [{FirstName: Ada, LastName: Byron, Company: Engines, Email: ada@engines.example}]
hubspot:
  properties: {contacts: [{name: region, type: string}]}
  validation_rules: {contacts: [{name: region, pattern: "[a-z]+", message: Small letters only.}]}
  owners: [{email: rosa@sales.example, first_name: Rosa}]
  contacts: [{email: ada@engines.example, firstname: Ada}]
```
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from connector.sandbox.hubspot import HubSpotPortal
from connector.sandbox.salesforce.org import SalesforceOrg
from connector.sandbox.salesforce.schema import custom_field
from connector.sandbox.salesforce.world import ValidationRule
from connector.sandbox.wording import of_keys
from mappings.source import ConfigErrors, Source, parse

_WORLDS = ("salesforce", "hubspot")


class SeedError(Exception):
    """A seed file that cannot be read or put in. `str()` says where and why."""


def read_seed(path: Path) -> Mapping[str, Any]:
    """The file's content. Raises SeedError."""
    try:
        content = parse(Source(str(path), path.read_text("utf-8"))).data
    except OSError as error:
        raise SeedError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SeedError(f"{path} is not UTF-8 (byte {error.start}): save it as UTF-8") from error
    except ConfigErrors as error:
        raise SeedError(str(error)) from error
    if not isinstance(content, dict) or not set(content) <= set(_WORLDS):
        raise SeedError(f"{path}: the top level has the keys {' and '.join(_WORLDS)}, nothing else")
    return content


def plant(seed: Mapping[str, Any], salesforce: SalesforceOrg, hubspot: HubSpotPortal) -> int:
    """Put a seed's records in; returns how many. Raises SeedError at the first that is refused."""
    planted = 0
    for world_name, world in (("salesforce", salesforce), ("hubspot", hubspot)):
        content = seed.get(world_name) or {}
        if not isinstance(content, Mapping):
            raise SeedError(f"{world_name}: objects with lists of records were expected")
        for name, given in sorted(content.items(), key=lambda pair: _turn(pair[0])):
            for place, record in _each(f"{world_name}.{name}", given):
                try:
                    planted += _plant_one(world, name, place, record)
                except TypeError as error:
                    raise SeedError(f"{place}: {of_keys(error)}") from error
                except Exception as error:  # whatever it is, the file's author must see where
                    raise SeedError(f"{place}: {error}") from error
    return planted


_FIRST = ("fields", "properties", "validation_rules", "owners", "User", "Group")
"""Must be there before the records that use them, in this order."""


def _turn(name: str) -> int:
    return _FIRST.index(name) if name in _FIRST else len(_FIRST)


def _each(place: str, given: Any) -> list[tuple[str, Mapping[str, Any]]]:
    lists = given.items() if isinstance(given, Mapping) else [("", given)]
    found: list[tuple[str, Mapping[str, Any]]] = []
    for name, records in lists:
        where = f"{place}.{name}" if name else place
        if not isinstance(records, list) or not all(isinstance(each, Mapping) for each in records):
            raise SeedError(f"{where}: a list of records was expected")
        found += [(f"{where}[{number}]", record) for number, record in enumerate(records)]
    return found


def _plant_one(world: SalesforceOrg | HubSpotPortal, name: str, place: str, record: Mapping[str, Any]) -> int:
    defined = place.split(".")[-1].partition("[")[0]  # for fields, properties and rules: their object
    if isinstance(world, SalesforceOrg):
        if name == "fields":
            world.add_field(defined, custom_field(**record))
            return 0
        if name == "validation_rules":
            world.add_validation_rule(ValidationRule(defined, **record))
            return 0
        if name == "User":
            world.add_user(**record)
        elif name == "Group":
            world.add_queue(**record)
        else:
            world.insert(name, **record)
        return 1
    if name == "properties":
        world.add_property(defined, **record)
        return 0
    if name == "validation_rules":
        world.add_validation_rule(defined, **record)
        return 0
    if name == "owners":
        world.add_owner(**record)
    else:
        world.create(name, **record)
    return 1
