"""docs/backtest.md shows what its commands print."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from tests.cli.shell import Shell
from tests.docs.pages import ROOT

PAGE = (ROOT / "docs" / "backtest.md").read_text(encoding="utf-8")


def test_the_page_shows_what_its_commands_print(shell: Shell, year: Path, tmp_path: Path) -> None:
    examples = tmp_path / "rules" / "examples"
    examples.mkdir(parents=True)
    for name in ("year.yaml", "year-better.yaml"):
        shutil.copy(ROOT / "rules" / "examples" / name, examples)
    printed = shell("backtest", str(year), "--rules", "rules/examples/year-better.yaml").out
    # the version changes with every word of the shipped mappings
    told = re.search("configuration [0-9a-f]{16}", PAGE)
    assert told is not None
    printed = re.sub("configuration [0-9a-f]{16}", told[0], printed)
    shown = PAGE.split("--rules rules/examples/year-better.yaml\n```\n\n```\n")[1].split("  …\n")[0]
    assert shown in printed, f"docs/backtest.md must show:\n{printed}"
    looser = (examples / "year.yaml").read_text(encoding="utf-8").replace("score: 50", "score: 35")
    (tmp_path / "looser.yaml").write_text(looser, encoding="utf-8")
    printed = shell("backtest", str(year), "--rules", "looser.yaml").out
    told = next(line for line in PAGE.splitlines() if " more MQLs a month: " in line)
    assert told in printed, f"docs/backtest.md must show:\n{printed}"
