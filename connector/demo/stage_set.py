"""Stage set: a sandbox with every field that a mapping uses, its people, and a leadloop connected to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory

from connector.clock import Clock
from connector.configuration import (
    DEFAULT_MAPPINGS,
    MAIN_FILE,
    PRESET,
    Configuration,
    compile_documents,
    shipped,
)
from connector.sandbox import HUBSPOT_ACCESS_TOKEN, SALESFORCE_SESSION_ID
from connector.sandbox.host import Sandbox
from connector.sandbox.salesforce.schema import custom_field
from connector.settings import load_settings
from connector.store.database import Database
from connector.wiring import Connected, connect
from mappings.mapping import Mapping as LeadMapping

_SALESFORCE_TYPES = {
    "number": "number",
    "money": "number",
    "boolean": "checkbox",
    "date": "date",
    "datetime": "datetime",
}
_HUBSPOT_TYPES = {
    "number": "number",
    "money": "number",
    "boolean": "bool",
    "date": "date",
    "datetime": "datetime",
}


def example_documents(name: str) -> dict[str, str]:
    """The texts of a shipped example configuration, by the names that its leadloop.yaml uses."""
    folder = resources.files("mappings").joinpath("examples", name)
    documents = {
        item.name: item.read_text(encoding="utf-8")
        for item in folder.iterdir()
        if item.name.endswith(".yaml")
    }
    documents[f"../../../rules/examples/{name}.yaml"] = (  # as leadloop.yaml names it
        resources.files("rules").joinpath("examples", f"{name}.yaml").read_text(encoding="utf-8")
    )
    return documents


def example_configuration(documents: Mapping[str, str]) -> Configuration:
    """Compile an example without the documents that are not part of a configuration (csv.yaml)."""
    return compile_documents({name: text for name, text in documents.items() if name != "csv.yaml"})


def cast_configuration() -> Configuration:
    """The shipped mappings with the demo's own rules (rules/examples/demo.yaml)."""
    presets = {name: shipped("mappings", name.removeprefix(PRESET)) for name in DEFAULT_MAPPINGS}
    rules = resources.files("rules").joinpath("examples", "demo.yaml").read_text(encoding="utf-8")
    return compile_documents({MAIN_FILE: "rules: [demo.yaml]\n", "demo.yaml": rules, **presets})


def add_fields(sandbox: Sandbox, mapping: LeadMapping) -> None:
    """Make the platforms have leadloop's fields and every mapped field that they do not come with."""
    sandbox.add_leadloop_fields()
    org, portal = sandbox.salesforce, sandbox.hubspot
    for side in mapping.sides.values():
        for target in side.objects.values():
            for pair in target.pairs:
                if side.platform == "salesforce":
                    spec = org.find_object(target.object)
                    if (
                        spec is not None
                        and pair.native.endswith("__c")
                        and org.find_field(spec, pair.native) is None
                    ):
                        org.add_field(
                            target.object, custom_field(pair.native, _SALESFORCE_TYPES.get(pair.type, "text"))
                        )
                elif pair.native not in portal.crm.table(target.object).definitions:
                    portal.add_property(target.object, pair.native, _HUBSPOT_TYPES.get(pair.type, "string"))


@contextmanager
def set_stage(
    clock: Clock, configuration: Configuration, owners: Sequence[str], database_url: str | None = None
) -> Iterator[tuple[Sandbox, Connected]]:
    """Both sandboxes on loopback with these salespeople, and a leadloop on SQLite that speaks to them over
    HTTP with the real clients."""
    sandbox = Sandbox(clock)
    add_fields(sandbox, configuration.mapping)
    for email in owners:
        sandbox.salesforce.add_user(email.partition("@")[0].title(), email)
        sandbox.hubspot.add_owner(email)
    with TemporaryDirectory(prefix="leadloop-demo-") as folder, sandbox.start():
        database = Database.open(database_url or f"sqlite:///{Path(folder) / 'leadloop.db'}")
        try:
            database.migrate()
            settings = load_settings(
                {},
                {
                    "LEADLOOP_SALESFORCE__BASE_URL": sandbox.salesforce_url,
                    "LEADLOOP_SALESFORCE__SESSION_ID": SALESFORCE_SESSION_ID,
                    "LEADLOOP_HUBSPOT__BASE_URL": sandbox.hubspot_url,
                    "LEADLOOP_HUBSPOT__ACCESS_TOKEN": HUBSPOT_ACCESS_TOKEN,
                    # nothing becomes visible late in the sandbox unless asked for; what a far look back and
                    # sweeps cost is measured with the intake, not here
                    "LEADLOOP_SALESFORCE__OVERLAP_SECONDS": "0",
                    "LEADLOOP_HUBSPOT__OVERLAP_SECONDS": "0",
                    "LEADLOOP_HUBSPOT__ARCHIVED_SECONDS": "0",
                    "LEADLOOP_VERIFY_HOURS": "0",
                },
            )
            connected = connect(configuration, settings, database, clock)
            try:
                yield sandbox, connected
            finally:
                for platform in connected.installation.platforms.values():
                    platform.close()
        finally:
            database.close()
