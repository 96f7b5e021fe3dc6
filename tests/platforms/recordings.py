"""Real recorded traffic that nobody on this project made, read where it lies beside the project."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
CUMULUS = "salesforce/SFDO-Tooling__CumulusCI/cumulusci"
RESTFORCE = "salesforce/restforce__restforce/spec/fixtures"

needs_recordings = pytest.mark.skipif(not DATA.is_dir(), reason="the recordings are not beside the project")


def text_of(path: str) -> str:
    """The file's text; skips the test where the recordings are missing."""
    file = DATA / path
    if not file.is_file():
        pytest.skip(f"no recording {path} beside the project")
    return file.read_text(encoding="utf-8")


def json_of(path: str) -> Any:
    """The file as JSON."""
    return json.loads(text_of(path))


def exchanges(path: str) -> Iterator[tuple[str, str, str, int, str]]:
    """Method, address, request body, status and answer body of each exchange of a cassette."""
    document = yaml.load(text_of(path), Loader=yaml.CSafeLoader)
    for part in document.get("interactions") or document.get("http_interactions") or [document]:
        if "request" not in part:
            continue
        body = part["request"].get("body")
        sent = body.get("string", "") if isinstance(body, dict) else body or ""
        answer = part["response"]["body"]["string"]
        address = part["request"]["uri"]
        yield part["request"]["method"].upper(), address, sent, part["response"]["status"]["code"], answer
