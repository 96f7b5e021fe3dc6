"""`leadloop webhooks` and the webhooks of `leadloop run`: what must be set, and what comes of a delivery."""

from __future__ import annotations

import json
import signal
import socket
from pathlib import Path

import pytest

from connector.sandbox import HUBSPOT_CLIENT_SECRET
from tests.cli.live import Live, Process, eventually
from tests.cli.shell import Shell

SECRET = "0123456789abcdef01234567"


def test_without_a_port_it_says_what_to_set(shell: Shell) -> None:
    done = shell("webhooks")

    assert done.code == 2
    assert done.err == "LEADLOOP_WEBHOOKS__PORT is not set: it says where webhooks are taken.\n"


def test_without_any_secret_it_names_those_that_are_missing(shell: Shell, folder: Path) -> None:
    done = shell("webhooks", LEADLOOP_WEBHOOKS__PORT="0")

    assert done.code == 2
    assert "Nothing can be received." in done.err
    assert "LEADLOOP_HUBSPOT__CLIENT_SECRET is not set" in done.err
    assert "LEADLOOP_SALESFORCE__WEBHOOK_SECRET is not set" in done.err


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("LEADLOOP_SALESFORCE__WEBHOOK_SECRET", "guess", "must be 20 or more letters, digits, - and _"),
        ("LEADLOOP_WEBHOOKS__PUBLIC_URL", "http://leadloop.acme.example", "must begin with https://"),
        ("LEADLOOP_WEBHOOKS__PUBLIC_URL", "https://acme.example/x?y=1", "must be an address without ? and #"),
        ("LEADLOOP_WEBHOOKS__PUBLIC_URL", "acme", "must be an address such as"),
        ("LEADLOOP_WEBHOOKS__PORT", "70000", "less than or equal to 65535"),
        ("LEADLOOP_WEBHOOKS__SECRET", "x", "is not a setting"),
    ],
)
def test_wrong_settings_are_told_by_name_and_without_their_secret(
    shell: Shell, name: str, value: str, told: str
) -> None:
    done = shell("webhooks", **{"LEADLOOP_WEBHOOKS__PORT": "0", name: value})

    assert done.code == 2
    assert name in done.err
    assert told in done.err
    assert "guess" not in done.err


def test_a_secret_does_not_belong_into_the_file(shell: Shell, folder: Path) -> None:
    (folder / "leadloop.yaml").write_text(
        f"settings:\n  webhooks: {{port: 0}}\n  salesforce: {{webhook_secret: {SECRET}}}\n", encoding="utf-8"
    )

    done = shell("webhooks")

    assert done.code == 2
    assert "salesforce.webhook_secret is a credential" in done.err
    assert SECRET not in done.err


def test_a_port_that_is_taken_is_told(shell: Shell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = shell("webhooks", LEADLOOP_WEBHOOKS__PORT=port, LEADLOOP_SALESFORCE__WEBHOOK_SECRET=SECRET)

    assert done.code == 2
    assert f"LEADLOOP_WEBHOOKS__PORT {port} on 127.0.0.1 cannot be used" in done.err


def test_a_running_leadloop_reads_what_it_is_told_of_long_before_it_looks(live: Live, folder: Path) -> None:
    never = "86400"
    process = Process(
        folder,
        live.environment
        | {
            "LEADLOOP_WEBHOOKS__PORT": "0",
            "LEADLOOP_HUBSPOT__CLIENT_SECRET": HUBSPOT_CLIENT_SECRET,
            "LEADLOOP_SALESFORCE__WEBHOOK_SECRET": SECRET,
            "LEADLOOP_HUBSPOT__POLL_SECONDS": never,
            "LEADLOOP_SALESFORCE__POLL_SECONDS": never,
        },
    )
    try:
        url = process.said("receiving")["url"]
        process.said("started")
        sandbox = live.sandbox
        sandbox.hubspot.crm.webhooks.subscribe(f"{url}/hubspot")
        silent = sandbox.salesforce.integration_user_id
        sandbox.salesforce.outbound.set_up(f"{url}/salesforce/{SECRET}", ["Lead"], silent)
        eventually(lambda: live.sandbox.hubspot.requests.count and not live.sandbox.send())
        sandbox.salesforce.insert("Lead", LastName="Bell", Company="Acme", Email="bo@acme.example")
        sandbox.hubspot.create("contacts", lastname="Arbor", email="ann@acme.example")

        eventually(lambda: all(200 <= status < 300 for status in sandbox.send()))
        eventually(lambda: live.stages_of("bo@acme.example") == ["nurture", "nurture"])
        eventually(lambda: live.stages_of("ann@acme.example") == ["nurture"])
    finally:
        assert process.signalled(signal.SIGTERM) == 0
    log = json.dumps(process.lines)
    assert SECRET not in log
    assert "@" not in log
