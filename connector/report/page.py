"""Page: the report as one HTML file that needs nothing else: no script, no font, no picture from elsewhere.

What it says is in `report.html.j2`; here the template meets the figures. Everything is escaped by the
template engine, so that what people typed on a platform stays text.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from connector.report import charts
from connector.report import wording as say
from mappings.vocabulary import Vocabulary

LISTED = 25
"""Rows of a list of leads, or of values, on the page; `--json` has more."""


def page(data: Mapping[str, Any], vocabulary: Vocabulary) -> str:
    """The page of a report, as `connector.report.report.report` gives it."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_readable,
    )
    environment.filters |= {
        "share_of": say.share_of,
        "short_share": say.short_share,
        "percent": say.percent,
        "length": say.length,
        "ratio": say.ratio,
        "reason": say.reason,
        "number": lambda value: f"{value:,}",
        "stage": vocabulary.shown,
        "day": charts.short_day,
    }
    template = environment.get_template("report.html.j2")
    return template.render(
        data=data,
        charts=charts,
        parts_of_rules=say.PARTS,
        change=say.change,
        counted=say.counted,
        listed=LISTED,
    )


def _readable(value: Any) -> Any:
    """Text without characters that no page may hold, or that turn the reading direction of what follows."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    value = value.replace(" %", "\u00a0%")  # a number and its sign stay on one line
    if value.isprintable():
        return value
    return "".join("�" if unicodedata.category(char) in ("Cc", "Cs") else char for char in value)
