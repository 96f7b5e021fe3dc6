"""Screen: how the demo looks: a live table in a terminal, plain lines elsewhere, and the summary at the end.

It draws what `connector.demo.board` read and decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from rich import box
from rich.console import Console, Group
from rich.live import Live
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from connector.demo.board import SIDE_NAMES, Line, News, Shown
from mappings.stages import Stage
from mappings.vocabulary import CANONICAL, Vocabulary, labelled

ACT_SECONDS = 1.3
"""How long an act stays at least, so that a person can read what happens in it."""

WORDS, NUMBERS, DATES = 98, 114, 122
"""From so many columns on there is room for the platforms' own words, for cycle and score, and for dates."""

STAGE_WIDTH = 12
"""Columns of a stage in leadloop's own words; longer labels get a sixth of what is wider than NARROW."""

NARROW = 80

STYLES = {
    "inquiry": "grey62",
    "qualification": "cyan",
    "nurture": "dodger_blue1",
    "mql": "yellow",
    "distributed": "orange1",
    "accepted": "orchid",
    "qualified": "medium_purple1",
    "opportunity": "spring_green2",
    "closed": "bold green",
    "disqualified": "red",
}
LOST = "bold red"


class Screen:
    """A live table, drawn anew with every frame. A context manager."""

    act_seconds = ACT_SECONDS

    def __init__(self, console: Console, vocabulary: Vocabulary = CANONICAL) -> None:
        self._console = console
        self._vocabulary = vocabulary
        self._act = Text()
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._last: tuple[int, Sequence[Line]] | None = None

    def __enter__(self) -> Screen:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()
        if self._last is not None:
            self._console.print(picture(*self._last, Text(), self._console.width, self._vocabulary))

    def act(self, number: int, of: int, at_ms: int, caption: str) -> None:
        """See `Show`."""
        del at_ms
        self._act = Text.assemble((f"{number:>2}/{of}  ", "dim"), (caption, "bold"))

    def frame(self, now_ms: int, lines: Sequence[Line], news: Sequence[News]) -> None:
        """See `Show`."""
        del news
        self._last = (now_ms, lines)
        drawn = picture(now_ms, lines, self._act, self._console.width, self._vocabulary)
        self._live.update(drawn, refresh=True)


class Lines:
    """Plain lines on a console that is no terminal: each act, what people do, each move of a lead."""

    act_seconds = 0.0

    def __init__(self, console: Console) -> None:
        self._console = console

    def __enter__(self) -> Lines:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def act(self, number: int, of: int, at_ms: int, caption: str) -> None:
        """See `Show`."""
        self._print(f"{_moment(at_ms)}  {number}/{of} {caption}")

    def frame(self, now_ms: int, lines: Sequence[Line], news: Sequence[News]) -> None:
        """See `Show`."""
        del now_ms, lines
        for item in news:
            self._print(f"{_moment(item.at_ms)}    {item.name} {item.text}")

    def _print(self, text: str) -> None:
        self._console.print(Text(text), soft_wrap=True)


class Nobody:
    """Nobody watches (`--json`)."""

    act_seconds = 0.0

    def __enter__(self) -> Nobody:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def act(self, number: int, of: int, at_ms: int, caption: str) -> None:
        """See `Show`."""

    def frame(self, now_ms: int, lines: Sequence[Line], news: Sequence[News]) -> None:
        """See `Show`."""


def picture(
    now_ms: int, lines: Sequence[Line], act: Text, width: int, vocabulary: Vocabulary = CANONICAL
) -> Group:
    """One frame: the date and the act above, a row for each lead below. What is too long for its column is
    cut."""
    date = datetime.fromtimestamp(now_ms / 1_000, UTC)
    head = Text.assemble(("leadloop", "bold"), ("  │  ", "dim"), (f"{date:%a %d %b %Y  %H:%M}", "bold cyan"))
    act.overflow, act.no_wrap = "ellipsis", True
    longest = max(len(_stage(stage, outcome, vocabulary)) for stage, outcome in _SHOWN)
    wider = max(0, min(longest - STAGE_WIDTH - 1, (width - NARROW) // 6))
    room = width - 3 * wider  # three columns show a stage
    words, numbers, dates = room >= WORDS, room >= NUMBERS, room >= DATES
    table = Table(box=box.SIMPLE_HEAD, header_style="dim", pad_edge=False, padding=(0, 1), expand=True)
    # widths are fixed, so that nothing jumps while the stages change
    table.add_column("lead", no_wrap=True, width=7)
    table.add_column("leadloop", no_wrap=True, width=STAGE_WIDTH + wider)
    if numbers:
        table.add_column("cycle", justify="center", width=5)
        table.add_column("score", justify="right", width=5)
    for name in SIDE_NAMES.values():
        table.add_column(name, no_wrap=True, width=(23 if words else 14) + wider)
    if dates:
        table.add_column("when", no_wrap=True, width=6)
    table.add_column("last event", no_wrap=True, overflow="ellipsis", ratio=1)
    for line in lines:
        cells: list[Text] = [Text(line.name, "bold"), _own(line, vocabulary)]
        if numbers:
            cells += [
                Text(str(line.cycle) if line.stage else "", "bold" if line.cycle > 1 else "dim"),
                Text(str(line.score) if line.stage else "", "dim"),
            ]
        stage_width = STAGE_WIDTH + wider
        native_at = stage_width + 1 if words else None
        for shown in (line.salesforce, line.hubspot):
            cells.append(_side(line, shown, vocabulary, stage_width, native_at))
        if dates:
            cells.append(Text(_day(line.last_ms), "dim"))
        cells.append(Text(line.last))
        table.add_row(*cells)
    return Group(head, act, table) if act.plain else Group(head, table)


def summary(figures: Mapping[str, Any], vocabulary: Vocabulary = CANONICAL) -> Group:
    """What the performance came to."""
    figures = labelled(figures, vocabulary)
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column()
    grid.add_row("leads", Text(f"{figures['leads']}:  {_listed(figures['stages'])}"))
    grid.add_row("moves", Text(f"{figures['moves']} in {figures['simulated_days']} simulated days"))
    grid.add_row("rejections", Text(_listed(figures["rejections"]) or "none"))
    calls = ", ".join(f"{SIDE_NAMES[side]} {count}" for side, count in figures["requests"].items())
    grid.add_row("API calls", Text(f"{calls}, and {figures['startup_requests']} to begin with"))
    if figures["holds"]:
        grid.add_row("on hold", Text(_listed(figures["holds"]), "yellow"))
    if "unfinished" in figures:
        grid.add_row("unfinished", Text(_listed(figures["unfinished"]), "yellow"))
    for side, found in figures["agreement"].items():
        right = found["agree"] == found["of"]
        text = Text(f"{found['agree']} of {found['of']} records agree with leadloop", "green")
        if not right:
            text.style = LOST
        for record, what in figures.get("disagreeing", {}).get(side, {}).items():
            text.append(f"\n{record}: {what}")
        grid.add_row(SIDE_NAMES[side], text)
    grid.add_row("time", Text(f"{figures['seconds']} s"))
    return Group(Padding(grid, (0, 0, 0, 1)))


_SHOWN = [
    *((stage.value, None) for stage in Stage),
    (Stage.CLOSED.value, "won"),
    (Stage.CLOSED.value, "lost"),
]


def _stage(stage: str, outcome: str | None, vocabulary: Vocabulary) -> str:
    """A stage as the team calls it, with the outcome that its label does not say."""
    if outcome is None or f"{stage} {outcome}" in vocabulary.labels:
        return vocabulary.shown(stage, outcome)
    return f"{vocabulary.shown(stage)} {outcome}"


def _own(line: Line, vocabulary: Vocabulary) -> Text:
    if line.stage is None:
        return Text("—", "dim")
    style = LOST if line.outcome == "lost" else STYLES[line.stage]
    return Text(_stage(line.stage, line.outcome, vocabulary), style)


def _side(
    line: Line, shown: Shown | None, vocabulary: Vocabulary, stage_width: int, native_at: int | None
) -> Text:
    """What a side shows: the stage within its width, and its own word where there is room (`native_at`)."""
    if shown is None:
        return Text("—", "dim")
    agrees = shown.stage == line.stage
    label = Text(vocabulary.shown(shown.stage) if shown.stage else "new")
    label.stylize(STYLES.get(shown.stage or "", "yellow") if agrees else "yellow")
    label.truncate(stage_width, overflow="ellipsis")
    text = Text.assemble(("✓ ", "green") if agrees else ("… ", "bold yellow"), label)
    if native_at is not None and shown.native:
        text.pad_right(native_at - label.cell_len)
        text.append(shown.native, "dim")
    return text


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items())


def _moment(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1_000, UTC):%Y-%m-%d %H:%M}"


def _day(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1_000, UTC):%d %b}" if at_ms else ""
