"""The shipped HubSpot mapping with some of its commented objects taken in, as an admin does by hand."""

from __future__ import annotations

from connector.configuration import shipped


def with_objects(*names: str) -> str:
    """The mapping with the # before these objects taken away; with companies, before `account` too."""
    text = shipped("mappings", "hubspot")
    if "companies" in names:
        assert text.count("    # account: ") == 1
        text = text.replace("    # account: ", "    account: ")
    lines = text.splitlines()
    for name in names:
        start = lines.index(f"  # {name}:")
        for at in range(start, len(lines)):
            if not lines[at].startswith("  # "):
                break
            lines[at] = "  " + lines[at].removeprefix("  # ")
    return "\n".join(lines) + "\n"
