"""Other rules: the rules to try, from a configuration folder, a folder of rules, or one file. Reads files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from connector.configuration import MAIN_FILE, Configuration, compile_documents, read_documents, shown_name
from mappings.problems import ConfigError, ConfigErrors
from mappings.source import Source, parse

_ENDINGS = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class RulesFolderError(Exception):
    """There are no rules where they were looked for. `str()` is what the user is told."""

    message: str

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True, slots=True)
class Wrong(Exception):
    """The rules are there and cannot be used: every mistake, and the texts, by the names of the mistakes."""

    errors: list[ConfigError]
    texts: Mapping[str, str]


def read_rules(path: Path, base: Mapping[str, str]) -> Configuration:
    """The configuration with the rules at `path`.

    A folder with a leadloop.yaml is a configuration of its own; otherwise the rules are the YAML files of the
    folder (and of a folder `rules` in it), or the one file, and everything else is that of the documents
    `base`. Raises RulesFolderError, Wrong."""
    documents, errors = _documents(path, base)
    texts = {shown_name(name): text for name, text in documents.items()}
    if errors:
        raise Wrong(errors, texts)
    try:
        return compile_documents(documents)
    except ConfigErrors as found:
        raise Wrong(list(found.errors), texts) from None


def _documents(path: Path, base: Mapping[str, str]) -> tuple[dict[str, str], list[ConfigError]]:
    if path.is_dir() and (path / MAIN_FILE).exists():
        try:
            return read_documents(path)
        except ConfigErrors as found:
            text = (path / MAIN_FILE).read_text(encoding="utf-8-sig", errors="replace")
            raise Wrong(list(found.errors), {MAIN_FILE: text}) from None
    if path.is_dir():
        files = sorted(
            file for folder in (path, path / "rules") if folder.is_dir()
            for file in folder.iterdir() if file.suffix in _ENDINGS
        )  # fmt: skip
        if not files:
            raise RulesFolderError(
                f"There are no rules in {path}: neither a {MAIN_FILE} nor a .yaml file with rules."
            )
    elif path.exists():
        files = [path]
    else:
        raise RulesFolderError(f"There is no folder {path}.")
    main = parse(Source(MAIN_FILE, base[MAIN_FILE])).data or {}
    names = main.get("rules") or ["preset:default"]
    documents = {name: text for name, text in base.items() if name not in names}
    rules = {file.name if path.is_file() else str(file.relative_to(path)): file for file in files}
    for name, file in rules.items():
        try:
            documents[name] = file.read_text(encoding="utf-8-sig")
        except OSError as error:
            raise RulesFolderError(f"{file} cannot be read: {error.strerror or error}.") from None
        except UnicodeDecodeError:
            raise RulesFolderError(f"{file} is not UTF-8: save it as UTF-8.") from None
    documents[MAIN_FILE] = yaml.safe_dump({**main, "rules": list(rules)}, allow_unicode=True)
    return documents, []
