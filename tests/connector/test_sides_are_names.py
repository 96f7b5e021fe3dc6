"""Only the adapters know Salesforce from HubSpot: everywhere else sides and objects are names."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NATIVE = {
    "Lead",
    "Contact",
    "Opportunity",
    "Account",
    "OwnerId",
    "contacts",
    "deals",
    "companies",
    "lifecyclestage",
}
OWN = ("platforms", "sandbox", "demo")
"""The adapters, and what plays the platforms."""

FILES = sorted(
    path
    for folder in ("connector", "rules", "mappings")
    for path in (ROOT / folder).rglob("*.py")
    if path.relative_to(ROOT).parts[1] not in OWN
)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_native_name_is_written_in_code(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert not texts & NATIVE
