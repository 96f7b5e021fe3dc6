"""Browser: Chromium without a window, which renders a page and tells what a reader would see.

Found on the machine; without one these tests are skipped. Every page is opened with the network cut off at a
host resolver that knows nothing, and with a log of what the page asked for.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


@dataclass(frozen=True)
class Rendered:
    """The page's elements after rendering, what it wrote to the console, and the addresses it asked for."""

    dom: str
    console: list[str]
    asked: list[str]


def chromium() -> str:
    """The browser's command; skips the test where there is none."""
    named = os.environ.get("LEADLOOP_TEST_CHROMIUM")
    for name in (named,) if named else _NAMES:
        found = shutil.which(name)
        if found:
            return found
    pytest.skip("no Chromium: apt-get install chromium, or name one in LEADLOOP_TEST_CHROMIUM")


def render(page: Path, width: int = 1280, dark: bool = False) -> Rendered:
    """Open the page, let it come to rest, and tell what there is."""
    with tempfile.TemporaryDirectory() as folder:
        net_log = Path(folder) / "net.json"
        done = _run(
            folder,
            f"--window-size={width},900",
            "--enable-logging=stderr",
            f"--log-net-log={net_log}",
            *(["--blink-settings=preferredColorScheme=0"] if dark else []),
            "--dump-dom",
            page.as_uri(),
        )
        console = [line for line in done.stderr.splitlines() if ":CONSOLE" in line]
        return Rendered(done.stdout, console, _requests(net_log))


def print_to_pdf(page: Path, pdf: Path) -> None:
    """Print the page as the browser prints on paper."""
    with tempfile.TemporaryDirectory() as folder:
        _run(folder, "--no-pdf-header-footer", f"--print-to-pdf={pdf}", page.as_uri())


def _run(folder: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    # no sandbox: a container's root has none; the pages are ours
    fixed = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync",
             "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={folder}/profile")  # fmt: skip
    return subprocess.run(
        [chromium(), *fixed, *arguments], capture_output=True, text=True, timeout=120, check=True
    )


def _requests(net_log: Path) -> list[str]:
    """The addresses that a page asked for, from the log of the network; not those of the browser itself."""
    found = json.loads(net_log.read_text(encoding="utf-8"))
    asked = [event["params"] for event in found["events"] if "initiator" in event.get("params", {})]
    return sorted({str(one["url"]) for one in asked if one["initiator"] != "not an origin"})
