"""The report's page in a real browser: what a reader sees, on a screen, a telephone, and paper.

Facts about the layout are asked for by a page of the test's own (probe.html), which shows the report in a
frame as wide as the screen; the report itself has no script.
"""

from __future__ import annotations

import json
import re
import shutil
from html import escape, unescape
from pathlib import Path
from typing import Any

import pytest

from connector.clock import ManualClock
from connector.lead import LeadState
from connector.report import history
from connector.report.context import MoveContext
from connector.store.database import Database
from connector.store.leads import insert_leads
from mappings.stages import Stage
from tests.cli.shell import Shell
from tests.report.browser import chromium, print_to_pdf, render
from tests.report.test_history import to_mql
from tests.store.conftest import a_lead
from tests.world import START_MS

pytestmark = pytest.mark.slow

WIDTHS = (390, 768, 1000, 1280)
PROBE = Path(__file__).with_name("probe.html")
ODD = '<script>alert("x")</script> & "Ünïcödé" 漢字 \u202eabc'


@pytest.fixture(scope="module", autouse=True)
def _browser() -> None:
    chromium()


@pytest.fixture(scope="module")
def page(half_a_year: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The company's report."""
    folder = tmp_path_factory.mktemp("page")
    database = shutil.copy(half_a_year, folder / "leadloop.db")
    shell = Shell(folder, {"LEADLOOP_DATABASE_URL": f"sqlite:///{database}"}, ManualClock(START_MS))
    assert shell("report", "--html", str(folder / "page.html")).code == 0
    (folder / "page.json").write_text(shell("report", "--json").out, encoding="utf-8")
    return folder / "page.html"


@pytest.fixture(scope="module")
def light(page: Path) -> dict[int, Any]:
    """What the browser says of the layout, by width of the screen."""
    return facts(page, *WIDTHS)


def facts(page: Path, *widths: int, dark: bool = False) -> dict[int, Any]:
    """What the browser says of the layout of the page on screens of these widths."""
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text(encoding="utf-8"))
    frames = [
        f'<iframe onload="look(this)" style="width: {width}px" srcdoc="{escape(text)}"></iframe>'
        for width in widths
    ]
    probe = PROBE.read_text(encoding="utf-8").replace("FRAMES", "\n".join(frames))
    around = page.with_name("probe.html")
    around.write_text(probe, encoding="utf-8")
    dom = render(around, 1400, dark).dom
    found = [
        json.loads(unescape(one)) for one in re.findall(r'<pre class="facts">(.*?)</pre>', dom, re.DOTALL)
    ]
    assert len(found) == len(widths), dom[-500:]
    return {told["inner"]: told for told in found}


def test_the_page_asks_for_nothing_and_complains_of_nothing(page: Path) -> None:
    shown = render(page)

    assert shown.asked == []
    assert shown.console == []
    assert "<script" not in shown.dom
    assert not re.search(r'(?:src|href)="(?!#)', shown.dom)


def test_a_page_that_asked_for_something_would_be_noticed(folder: Path) -> None:
    asking = folder / "asking.html"
    asking.write_text("<img src='http://tracker.example/x'><script>console.log('x')</script>", "utf-8")

    shown = render(asking)

    assert shown.asked == ["http://tracker.example/x"]
    assert len(shown.console) >= 1


def test_a_reader_sees_what_matters_first_and_then_every_section(page: Path, light: dict[int, Any]) -> None:
    data = json.loads(page.with_name("page.json").read_text(encoding="utf-8"))
    told = light[1280]
    seen = told["seen"].replace("\u00a0", " ")

    assert told["headings"] == [
        "What became of the leads", "In short", "What changed", "What leaks", "What to do",
        "MQLs, and what sales made of them", "Funnel", "How long it takes", "Rejections", "Rules and gates",
        "By source", "By campaign", "By segment", "By owner",
        "Leads that nobody touched", "Where the platforms disagree",
    ]  # fmt: skip
    for sentence in (item for found in data["summary"].values() for item in found):
        assert sentence in seen
    assert data["untouched"]["leads"][0]["name"] in seen
    assert "opened e-mails" in seen
    assert "below" in seen


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_wider_than_the_screen(light: dict[int, Any], width: int) -> None:
    found = light[width]

    assert found["scroll"] <= width
    assert found["wide"] == []
    assert found["small"] == 0, "letters in charts stay readable"


def test_every_text_stands_out_from_its_ground(page: Path, light: dict[int, Any]) -> None:
    assert light[1280]["pale"] == []
    assert facts(page, 1280, dark=True)[1280]["pale"] == []


def test_charts_have_titles_and_tables_have_headers(page: Path) -> None:
    dom = render(page).dom

    for drawing in re.findall(r"<svg [^>]*role=\"img\".*?</svg>", dom, re.DOTALL):
        assert "<title" in drawing
    tables = re.findall(r"<table.*?</table>", dom, re.DOTALL)
    assert len(tables) > 8
    for table in tables:
        assert "<caption>" in table
        assert 'scope="col"' in table
        assert all(head.strip() for head in re.findall(r"<th[^>]*>(.*?)</th>", table, re.DOTALL))
    assert re.findall(r"<h(\d)", dom)[:6] == ["1", "2", "3", "3", "3", "2"]


def test_it_prints_on_a4_with_several_pages(page: Path, folder: Path) -> None:
    print_to_pdf(page, folder / "page.pdf")

    pdf = (folder / "page.pdf").read_bytes()
    boxes = {
        tuple(round(float(side)) for side in box.split())
        for box in re.findall(rb"/MediaBox \[([^\]]+)\]", pdf)
    }
    assert boxes in ({(0, 0, 595, 842)}, {(0, 0, 596, 842)}), boxes
    assert len(re.findall(rb"/Type /Page\b", pdf)) > 3


def test_what_people_typed_stays_text(newcomer: Shell, folder: Path) -> None:
    database = Database.open(f"sqlite:///{folder}/leadloop.db")
    state = LeadState(
        "L1", "hubspot", START_MS, stage=Stage.DISTRIBUTED, stage_since_ms=START_MS - 9 * 86_400_000,
        owner=ODD, values={"email": ODD}, differences={"company": {"salesforce": ODD, "hubspot": "x" * 300}},
    )  # fmt: skip
    with database.begin() as conn:
        insert_leads(conn, [a_lead("L1", stage="distributed", state=state.to_json())])
        rows = to_mql("L1", -10)
        history.write_down(conn, [(row, MoveContext(ODD, "x" * 120, "漢字", ODD, 1)) for row in rows])
    database.close()
    assert newcomer("report", "--html", "page.html").code == 0

    shown = render(folder / "page.html")
    found = facts(folder / "page.html", 390)[390]

    assert "<script" not in shown.dom
    assert shown.console == []
    assert 'alert("x")' in found["seen"]
    assert "漢字" in found["seen"]
    assert found["wide"] == []
    assert found["scroll"] <= 390


def test_an_empty_database_gives_a_page_that_reads_well(newcomer: Shell, folder: Path) -> None:
    assert newcomer("report", "--html", "page.html").code == 0

    found = facts(folder / "page.html", 390)[390]

    assert "No lead became an MQL in this period" in found["seen"]
    assert (found["wide"], found["pale"]) == ([], [])
    assert not re.search(r"\b(None|nan|undefined)\b", found["seen"])
