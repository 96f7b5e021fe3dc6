"""`leadloop init`: a commented working folder to begin with: leadloop.yaml, copies of the presets, and the
JSON Schemas with which editors complete and check them.

Writes all of it or nothing, and nothing over existing files without being told to.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from connector.cli.failures import Problem
from connector.cli.output import counted

MAIN = """\
# leadloop's configuration: which documents decide, and how careful leadloop is. All of it is optional.
# `leadloop check` tells what is wrong with this folder; `leadloop apply` shows what an edit would change and
# puts it in force. Until then the one that was applied last stays in force.

# What a lead is, and how each platform spells it.
mappings:
  - mappings/lead.yaml
  - mappings/salesforce.yaml
  - mappings/hubspot.yaml

# How leads are scored, when they are ready for sales, who gets them, and what follows a rejection.
# Their cases (what shall come out for a lead that you make up) are run by `leadloop check`.
rules:
  - rules/default.yaml

# Too many changes of one kind at once are stopped until you release them (leadloop brake). A kind may reach
# this share of all leads within a window, and is never stopped below `at_least`.
brake:
  window_minutes: 60
  limits:
    regressions:   {share: 0.05, at_least: 50}    # stages moved back by rules
    mql:           {share: 0.10, at_least: 200}
    handoff:       {share: 0.10, at_least: 200}
    owner_changes: {share: 0.10, at_least: 200}
    creates:       {share: 0.10, at_least: 500}
    blanks:        {share: 0.05, at_least: 100}   # values emptied

# Read a record once more before a lead is handed over: one call more for each batch, and a shorter window in
# which an edit by somebody else can be overwritten.
read_before_handoff: false

# Activities from anywhere else: what they are called, and their attributes with their types. Rules may use
# them once this is applied (on: sign_up); `leadloop activities FILE` hands them over.
#
# sources:
#   product:
#     sign_up: {plan: text}
#     login: {}
#     chat: {minutes: number}

# The lead's fields by which `leadloop report` breaks its figures down. A lead is counted by what they held
# when it moved, so another field here counts from then on.
#
# report: {source: lead_source, campaign: last_touch_campaign, segment: country}

# What your team calls the stages, in what leadloop prints: demand-waterfall, hubspot-lifecycle, seven-stages,
# or a file of your own. Rules and platforms keep leadloop's names.
#
# vocabulary: demand-waterfall

# Settings that are not secret; each can also be an environment variable (LEADLOOP_LOG_LEVEL), which goes
# first. Credentials are taken from the environment, or from files in LEADLOOP_SECRETS_DIR, never from here:
#
#   LEADLOOP_SALESFORCE__CONSUMER_KEY, __USERNAME, __PRIVATE_KEY_FILE      (JWT bearer)
#   LEADLOOP_HUBSPOT__ACCESS_TOKEN                                         (private app or service key)
#
# settings:
#   database_url: sqlite:///leadloop.db      # from the folder in which leadloop is started
#   log_level: info
#   salesforce:
#     instance_url: https://acme.my.salesforce.com
#     organization_id: 00D000000000000AAA    # refuse to run on any other org
#     quota_percent: 50                      # how much of the org's daily calls leadloop may use
#   hubspot:
#     portal_id: "12345678"                  # refuse to run on any other account
#     quota_percent: 50
"""

DRAFT = ".new"
"""How the names of files end that are not complete yet."""

COPIES = {
    "mappings/lead.yaml": ("mappings", "lead"),
    "mappings/salesforce.yaml": ("mappings", "salesforce"),
    "mappings/hubspot.yaml": ("mappings", "hubspot"),
    "rules/default.yaml": ("rules", "default"),
}
"""File of the new folder to the preset it is a copy of, without --preset."""

SCHEMAS = "schemas"
"""The folder of the JSON Schemas, beside leadloop.yaml."""

DEFAULT = "default"

_ROOT = Path(__file__).resolve().parents[2]


def preset_names() -> list[str]:
    """The presets there are: rules for the shipped mappings, and examples that bring mappings of their own.

    Reads the folders only: help is to answer at once."""
    rules = (path.stem for path in (_ROOT / "rules" / "presets").glob("*.yaml"))
    return sorted({*rules, *_examples()})


def _examples() -> set[str]:
    """The presets that come with mappings of their own."""
    return {path.parent.name for path in (_ROOT / "mappings" / "examples").glob("*/lead.yaml")}


def _preset_help() -> str:
    return f"The shipped rules to begin with: {', '.join(preset_names())}."


def init(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The folder; it is made if need be.")],
    preset: Annotated[str, typer.Option("--preset", metavar="NAME", help=_preset_help())] = DEFAULT,
    yes: Annotated[
        bool, typer.Option("--yes", help="Write over files that are there, without asking.")
    ] = False,
) -> None:
    """Write a commented working folder to begin with."""
    texts = folder_texts(preset)
    there = [name for name in texts if (directory / name).exists()]
    if there and not yes:
        typer.confirm(f"{directory} has {', '.join(there)} already. Write over them?", abort=True)
    try:
        write_all(directory, texts)
    except OSError as error:
        place = Path(error.filename or directory)
        if place.suffix == DRAFT:
            place = place.parent
        raise Problem(
            f"{place} cannot be written ({error.strerror}): choose another folder, or "
            "change its permissions. Nothing was written."
        ) from error
    typer.echo(f"Wrote {counted(len(texts), 'file')} to {directory}:")
    for name in texts:
        if not name.startswith(SCHEMAS):
            typer.echo(f"  {name}")
    typer.echo(f"  {SCHEMAS}/  (for editors; `leadloop schema` writes them anew)")
    typer.echo(f"Look at leadloop.yaml first, then: leadloop --config {directory} check")


def folder_texts(preset: str = DEFAULT) -> dict[str, str]:
    """The files of a new folder, by name. They compile. Raises Problem for an unknown preset."""
    from connector.cli.schema import schema_texts
    from connector.configuration import compile_documents, shipped
    from connector.schemas import schema_of
    from mappings.problems import did_you_mean

    known = preset_names()
    if preset not in known:
        near = did_you_mean(preset, known)
        listed = "" if near.startswith("known") else f" Presets: {', '.join(known)}."
        raise Problem(f'There is no preset "{preset}"; {near or "try another"}{listed}')
    own = f"rules/{preset}.yaml"
    documents = {"leadloop.yaml": MAIN.replace("rules/default.yaml", own)}
    if preset in _examples():
        documents |= _example_texts(preset)
    else:
        copies = {name: copied for name, copied in COPIES.items() if not name.startswith("rules/")}
        copies[own] = ("rules", preset)
        documents |= {name: shipped(*copied) for name, copied in copies.items()}
    compile_documents(documents)
    marked = {}
    for name, text in documents.items():
        up = "../" * name.count("/")
        marked[name] = f"# yaml-language-server: $schema={up}{SCHEMAS}/{schema_of(name, text)}\n{text}"
    return marked | {f"{SCHEMAS}/{name}": text for name, text in schema_texts().items()}


def _example_texts(name: str) -> dict[str, str]:
    """The mappings, the table of CSV columns and the rules of an example."""
    folder = _ROOT / "mappings" / "examples" / name
    mappings = {
        f"mappings/{path.name}": path.read_text(encoding="utf-8")
        for path in sorted(folder.glob("*.yaml"))
        if path.name != "leadloop.yaml"
    }
    rules = _ROOT / "rules" / "examples" / f"{name}.yaml"
    return {**mappings, f"rules/{name}.yaml": rules.read_text(encoding="utf-8")}


def write_all(directory: Path, texts: Mapping[str, str]) -> None:
    """Write every file, or none: what is not complete stays beside its place and is taken away again.

    Raises OSError."""
    made: list[Path] = []
    drafts: dict[Path, Path] = {}
    try:
        for name, text in texts.items():
            path = directory / name
            _make(path.parent, made)
            with tempfile.NamedTemporaryFile(
                "w", encoding="utf-8", dir=path.parent, prefix=".", suffix=DRAFT, delete=False
            ) as draft:
                drafts[path] = Path(draft.name)
                draft.write(text)
        for path, written in drafts.items():
            written.chmod(0o644)  # a temporary file is for its owner alone; a configuration is read by others
            written.replace(path)
    except OSError:
        for written in drafts.values():
            written.unlink(missing_ok=True)
        for folder in reversed(made):
            if not any(folder.iterdir()):
                folder.rmdir()
        raise


def _make(folder: Path, made: list[Path]) -> None:
    """Make a folder and its parents, noting those that were not there."""
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for one in reversed(missing):
        one.mkdir()
        made.append(one)
