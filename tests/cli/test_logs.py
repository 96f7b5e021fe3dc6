"""Logs are JSON lines without personal data, whoever writes them."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from connector.cli.logs import log_to


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """What the log goes to; afterwards all loggers are as before."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    made = io.StringIO()
    yield made
    structlog.reset_defaults()
    root.handlers[:], level = before[0], before[1]
    root.setLevel(level)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_takes_personal_data_out_of_every_value(stream: io.StringIO) -> None:
    log_to(stream, "info")

    structlog.get_logger().warning(
        "refused",
        lead="L123",
        reason="ann@acme.example is taken",
        error="IntegrityError: UNIQUE failed [parameters: ('Ann', 'Arbor')]",
        nested={"who": ["call +49 170 1234567"]},
    )

    (line,) = lines(stream)
    assert line["event"] == "refused"
    assert line["lead"] == "L123"
    assert line["reason"] == "‹e-mail› is taken"
    assert line["error"] == "IntegrityError: UNIQUE failed"
    assert line["nested"] == {"who": ["call ‹phone›"]}


def test_keeps_to_its_level(stream: io.StringIO) -> None:
    log_to(stream, "warning")

    structlog.get_logger().info("polled")
    structlog.get_logger().warning("late")

    assert [line["event"] for line in lines(stream)] == ["late"]


def test_a_librarys_warning_is_a_line_of_the_same_kind(stream: io.StringIO) -> None:
    log_to(stream, "info")

    try:
        raise ValueError("Ann Arbor")
    except ValueError:
        logging.getLogger("urllib3.pool").warning("retrying for %s", "ann@acme.example", exc_info=True)
    logging.getLogger("urllib3.pool").info("nothing")

    (line,) = lines(stream)
    assert line["event"] == "library warning"
    assert line["logger"] == "urllib3.pool"
    assert line["message"] == "retrying for ‹e-mail›"
    assert "Arbor" not in stream.getvalue()
