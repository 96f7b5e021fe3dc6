"""Logs: JSON lines on stderr, without personal data. What leads contain stays out, also out of errors."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

import structlog

from connector.platforms.redaction import redact

_KEPT = frozenset({"event", "level", "timestamp", "lead", "side", "logger"})
"""Never redacted: our own words, ids and names."""


def log_to(stream: TextIO, level: str) -> None:
    """Send leadloop's own log and that of its libraries (warnings and worse) to `stream`."""
    shared: list[structlog.typing.Processor] = [
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.add_log_level,
        without_personal_data,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(ensure_ascii=False)],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _library_line,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


def log_to_stderr(level: str) -> None:
    """As `log_to`, on stderr."""
    log_to(sys.stderr, level)


def warn_on_stderr() -> None:
    """What is amiss while a command works is told on stderr, as a line to be read, where the command keeps no
    log of its own: its stdout is its answer."""
    if structlog.is_configured():
        return
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            without_personal_data,
            structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def without_personal_data(
    _logger: Any, _method: str, line: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """A structlog processor: takes e-mail addresses, telephone numbers, quoted values and the parameters of
    SQL statements out of a line."""
    return {name: value if name in _KEPT else _clean(value) for name, value in line.items()}


def clean_text(text: str) -> str:
    """`text` fit for a log."""
    return redact(text.partition("[parameters:")[0])


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, Mapping):
        return {name: _clean(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return value


def _library_line(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A library's message is not our own words; nor does its traceback go into the log."""
    return {
        "event": "library warning",
        "message": clean_text(str(line.get("event", ""))),
        **{name: line[name] for name in ("level", "timestamp", "logger") if name in line},
    }
