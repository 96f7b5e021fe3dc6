"""Settings: where they may come from, and one clear sentence for each fault."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from connector.platforms.credentials import (
    AccessToken,
    ClientCredentials,
    JwtBearer,
    RefreshToken,
    SessionId,
)
from connector.settings import (
    HubSpotSettings,
    SalesforceSettings,
    Settings,
    SettingsError,
    WebhookSettings,
    load_settings,
    written_settings,
)
from mappings.source import ConfigErrors, Source, parse

MY_DOMAIN = "https://acme.my.salesforce.com"


def _salesforce(**given: str) -> SalesforceSettings:
    return load_settings(
        {}, {f"LEADLOOP_SALESFORCE__{name}": value for name, value in given.items()}
    ).salesforce


def _hubspot(**given: str) -> HubSpotSettings:
    return load_settings({}, {f"LEADLOOP_HUBSPOT__{name}": value for name, value in given.items()}).hubspot


def _fault(document: Mapping[str, Any], environment: Mapping[str, str]) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(document, environment)
    return str(caught.value)


def test_nothing_given_is_the_defaults() -> None:
    settings = load_settings({}, {})
    assert settings.database_url == "sqlite:///leadloop.db"
    assert settings.redis_url is None
    assert settings.salesforce.api_version == "62.0"
    assert settings.hubspot.api_version == "v3"
    assert settings.hubspot.base_url == "https://api.hubapi.com"


_NUMBERS = [
    "VERIFY_HOURS",
    *(
        f"{side}__{name}_SECONDS"
        for side in ("SALESFORCE", "HUBSPOT")
        for name in ("POLL", "OVERLAP", "CONNECT_TIMEOUT", "READ_TIMEOUT")
    ),
    "HUBSPOT__ARCHIVED_SECONDS",
    "HUBSPOT__DAILY_LIMIT",
    "WEBHOOKS__DELIVERIES_PER_SECOND",
    "WEBHOOKS__MAX_WAITING",
]


@pytest.mark.parametrize("name", _NUMBERS)
@pytest.mark.parametrize("value", ["inf", "-inf", "nan", "1e300", "9" * 30])
def test_a_number_that_no_work_could_be_done_with_is_refused(name: str, value: str) -> None:
    assert _fault({}, {f"LEADLOOP_{name}": value}).startswith(f"LEADLOOP_{name}: input should be ")


@pytest.mark.parametrize("value", ["Infinity", "NaN", "1e300"])
def test_so_is_one_for_a_single_object(value: str) -> None:
    said = _fault({}, {"LEADLOOP_HUBSPOT__POLL_SECONDS_OF": f'{{"deals": {value}}}'})
    assert said.startswith("LEADLOOP_HUBSPOT__POLL_SECONDS_OF__DEALS: input should be ")
    assert len(said.splitlines()) == 1


def test_a_reserve_that_would_leave_updates_nothing_is_refused() -> None:
    said = _fault({}, {"LEADLOOP_SALESFORCE__HANDOFF_RESERVE_PERCENT": "91"})
    assert said == "LEADLOOP_SALESFORCE__HANDOFF_RESERVE_PERCENT: input should be less than or equal to 90."
    assert _salesforce(HANDOFF_RESERVE_PERCENT="90").handoff_reserve_percent == 90


def test_the_environment_wins_over_files_which_win_over_the_document(tmp_path: Path) -> None:
    (tmp_path / "leadloop_hubspot__portal_id").write_text("2\n", encoding="utf-8")
    (tmp_path / "LEADLOOP_HUBSPOT__ACCESS_TOKEN").write_text("from a file\n", encoding="utf-8")
    document = {"hubspot": {"portal_id": "1", "poll_seconds": 30}, "database_url": "sqlite:///d.db"}
    environment = {"LEADLOOP_SECRETS_DIR": str(tmp_path), "LEADLOOP_DATABASE_URL": "sqlite:///e.db"}
    settings = load_settings(document, environment)
    assert (settings.database_url, settings.hubspot.portal_id) == ("sqlite:///e.db", "2")
    assert settings.hubspot.poll_seconds == 30
    assert settings.hubspot.credentials() == AccessToken("from a file")
    assert (
        load_settings(document, {**environment, "LEADLOOP_HUBSPOT__PORTAL_ID": "3"}).hubspot.portal_id == "3"
    )


@pytest.mark.parametrize("service", ["LEADLOOP", "LEADLOOP_REDIS", "LEADLOOP_WORKER_HEALTH"])
def test_what_kubernetes_says_of_services_is_left_alone(service: str) -> None:
    address = "tcp://10.0.0.1:6379"
    injected = {
        f"{service}_SERVICE_HOST": "10.0.0.1",
        f"{service}_SERVICE_PORT": "6379",
        f"{service}_SERVICE_PORT_METRICS": "6379",
        f"{service}_PORT": address,
        f"{service}_PORT_6379_TCP": address,
        f"{service}_PORT_6379_TCP_PROTO": "tcp",
        f"{service}_PORT_6379_TCP_PORT": "6379",
        f"{service}_PORT_6379_TCP_ADDR": "10.0.0.1",
    }
    assert load_settings({}, injected) == load_settings({}, {})


def test_what_the_tests_of_leadloop_take_is_left_alone() -> None:
    names = ("SIMULATIONS", "SIMULATION_SEED", "TEST_REDIS_URL", "CONTRACT_HUBSPOT__ACCESS_TOKEN")
    assert load_settings({}, {f"LEADLOOP_{name}": "1" for name in names}) == load_settings({}, {})


@pytest.mark.parametrize(
    ("given", "credentials"),
    [
        ({"SESSION_ID": "s", "INSTANCE_URL": MY_DOMAIN}, SessionId("s")),
        (
            {"CONSUMER_KEY": "k", "CONSUMER_SECRET": "c", "INSTANCE_URL": MY_DOMAIN},
            ClientCredentials("k", "c"),
        ),
        (
            {"CONSUMER_KEY": "k", "USERNAME": "u", "PRIVATE_KEY": "a\\nb"},
            JwtBearer("k", "u", "a\nb"),
        ),
    ],
)
def test_salesforce_credentials(given: dict[str, str], credentials: object) -> None:
    assert _salesforce(**given).credentials() == credentials


def test_a_private_key_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_text("PEM", encoding="ascii")
    settings = _salesforce(CONSUMER_KEY="k", USERNAME="u", PRIVATE_KEY_FILE=str(file))
    assert settings.credentials() == JwtBearer("k", "u", "PEM")
    file.unlink()
    with pytest.raises(SettingsError, match="LEADLOOP_SALESFORCE__PRIVATE_KEY_FILE: cannot read"):
        settings.credentials()


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, "LEADLOOP_SALESFORCE__CONSUMER_KEY"),
        ({"SESSION_ID": "s"}, "LEADLOOP_SALESFORCE__INSTANCE_URL"),
        ({"CONSUMER_SECRET": "c"}, "LEADLOOP_SALESFORCE__CONSUMER_KEY"),
        ({"CONSUMER_KEY": "k", "CONSUMER_SECRET": "c"}, "LEADLOOP_SALESFORCE__INSTANCE_URL"),
        ({"PRIVATE_KEY": "p"}, "LEADLOOP_SALESFORCE__CONSUMER_KEY"),
        ({"PRIVATE_KEY": "p", "CONSUMER_KEY": "k"}, "LEADLOOP_SALESFORCE__USERNAME"),
    ],
)
def test_missing_salesforce_credentials_name_the_variable(given: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError, match=named) as caught:
        _salesforce(**given).credentials()
    assert "\n" not in str(caught.value)


def test_hubspot_credentials() -> None:
    assert _hubspot(ACCESS_TOKEN="t").credentials() == AccessToken("t")
    # the client secret beside a token is for webhooks
    assert _hubspot(ACCESS_TOKEN="t", CLIENT_SECRET="c").credentials() == AccessToken("t")
    given = {"CLIENT_ID": "i", "CLIENT_SECRET": "c", "REFRESH_TOKEN": "r"}
    assert _hubspot(**given).credentials() == RefreshToken("i", "c", "r")
    for missing in ("CLIENT_ID", "CLIENT_SECRET"):
        rest = {name: value for name, value in given.items() if name != missing}
        with pytest.raises(SettingsError, match=f"LEADLOOP_HUBSPOT__{missing} is not set"):
            _hubspot(**rest).credentials()
    with pytest.raises(SettingsError, match="LEADLOOP_HUBSPOT__ACCESS_TOKEN"):
        _hubspot().credentials()


@pytest.mark.parametrize(
    "url",
    [
        "http://acme.my.salesforce.com",
        "https://acme.my.salesforce.com/path",
        "https://user@acme.my.salesforce.com",
        "acme.my.salesforce.com",
        "ftp://x",
        "https://acme.my.salesforce.com:port",
        "https://acme.my.salesforce.com:99999",
    ],
)
def test_an_address_must_be_an_https_origin(url: str) -> None:
    assert "LEADLOOP_SALESFORCE__INSTANCE_URL" in _fault({}, {"LEADLOOP_SALESFORCE__INSTANCE_URL": url})
    assert "LEADLOOP_HUBSPOT__BASE_URL" in _fault({}, {"LEADLOOP_HUBSPOT__BASE_URL": url})


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:8", "http://127.9.9.9"]
)
def test_plain_http_is_for_loopback(url: str) -> None:
    assert _salesforce(BASE_URL=url).base_url == url
    assert _hubspot(BASE_URL=url + "/").base_url == url


@pytest.mark.parametrize("url", ["https://proxy.example", "http://10.0.0.1", "http://127.0.0.1.evil.example"])
def test_the_salesforce_override_is_refused_unless_loopback(url: str) -> None:
    assert "LEADLOOP_SALESFORCE__BASE_URL" in _fault({}, {"LEADLOOP_SALESFORCE__BASE_URL": url})


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"LEADLOOP_HUBSPOT__API_VERSION": "v4"}, "LEADLOOP_HUBSPOT__API_VERSION: input should be 'v3', "),
        ({"LEADLOOP_SALESFORCE__API_VERSION": "62"}, "LEADLOOP_SALESFORCE__API_VERSION: "),
        ({"LEADLOOP_SALESFORCE__ORGANIZATION_ID": "acme"}, "LEADLOOP_SALESFORCE__ORGANIZATION_ID: "),
        ({"LEADLOOP_HUBSPOT__QUOTA_PERCENT": "101"}, "LEADLOOP_HUBSPOT__QUOTA_PERCENT: "),
        ({"LEADLOOP_SECRETS_DIR": "/nonsuch"}, "LEADLOOP_SECRETS_DIR: /nonsuch cannot be read: No such file"),
    ],
)
def test_each_fault_names_the_setting(environment: dict[str, str], said: str) -> None:
    assert _fault({}, environment).startswith(said)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("LEADLOOP_DATABSE_URL", "LEADLOOP_DATABASE_URL"),
        ("leadloop_databse_url", "LEADLOOP_DATABASE_URL"),
        ("LEADLOOP_SECRET_DIR", "LEADLOOP_SECRETS_DIR"),
        ("LEADLOOP_CONFIG_DIR", "LEADLOOP_CONFIG"),
        ("LEADLOOP_SALESFORCE__SESION_ID", "LEADLOOP_SALESFORCE__SESSION_ID"),
        ("LEADLOOP_SALESFORCE_INSTANCE_URL", "LEADLOOP_SALESFORCE__INSTANCE_URL"),
        ("LEADLOOP_SALESFORCE__CLIENT_ID", "LEADLOOP_SALESFORCE__CONSUMER_KEY"),
        ("LEADLOOP_SALESFORCE__CLIENT_SECRET", "LEADLOOP_SALESFORCE__CONSUMER_SECRET"),
        ("LEADLOOP_HUBSPOT__TOKEN", "LEADLOOP_HUBSPOT__ACCESS_TOKEN"),
    ],
)
def test_a_misspelt_variable_is_an_error_with_the_nearest_name(name: str, meant: str) -> None:
    assert _fault({}, {name: "x"}) == f"{name} is not a setting: did you mean {meant}?"


@pytest.mark.parametrize("name", ["LEADLOOP_SALESFORCE", "LEADLOOP_HEALTH_PORT", "LEADLOOP_HUBSPOT__A__B"])
def test_a_variable_that_is_like_no_setting_is_an_error_all_the_same(name: str) -> None:
    assert _fault({}, {name: "8080"}).startswith(f"{name} is not a setting")


def test_all_misspelt_variables_and_secret_files_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "leadloop_redis_uri").write_text("redis://hush", encoding="utf-8")
    said = _fault({}, {"LEADLOOP_SECRETS_DIR": str(tmp_path), "LEADLOOP_LOGLEVEL": "a", "LEADLOOP_X": "b"})
    assert said.splitlines() == [
        "LEADLOOP_LOGLEVEL is not a setting: did you mean LEADLOOP_LOG_LEVEL?",
        "LEADLOOP_X is not a setting: remove it, or look up its name in docs/settings.md.",
        f"leadloop_redis_uri (a file in {tmp_path}) is not a setting: did you mean LEADLOOP_REDIS_URL?",
    ]


def test_a_blank_variable_counts_as_not_set() -> None:
    given = {"LEADLOOP_DATABSE_URL": " ", "LEADLOOP_DATABASE_URL": ""}
    assert load_settings({}, given) == load_settings({}, {})


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (
            "salesforce: {session_id: s}",
            "leadloop.yaml:1:25: salesforce.session_id is a credential and is taken from the environment "
            "only; remove it from the file and set LEADLOOP_SALESFORCE__SESSION_ID",
        ),
        (
            "{database_url: 'postgresql://u:hush@h/d'}",
            "leadloop.yaml:1:12: database_url holds a password; remove it there and set "
            "LEADLOOP_DATABASE_URL",
        ),
        ("{databse_url: x}", 'leadloop.yaml:1:12: unknown key "databse_url"; did you mean "database_url"?'),
        (
            "hubspot: {poll_secnds: 60}",
            'leadloop.yaml:1:22: unknown key "poll_secnds"; did you mean "poll_seconds"?',
        ),
        (
            "hubspot: {poll_seconds: 1 minute}",
            'leadloop.yaml:1:36: this must be a number, not "1 minute"',
        ),
        ("hubspot: {quota_percent: 101}", "leadloop.yaml:1:37: this must be at most 100, not the number 101"),
        (
            "hubspot: {handoff_reserve_percent: 100}",
            "leadloop.yaml:1:47: this must be at most 90, not the number 100",
        ),
        ("verify_hours: .inf", "leadloop.yaml:1:26: .inf is not a finite number"),
        ("log_level: inof", 'leadloop.yaml:1:23: "inof" is not known here; did you mean "info"?'),
        ("5", "leadloop.yaml:1:11: this must be a mapping (key: value), not the number 5"),
    ],
)
def test_each_fault_in_leadloop_yaml_has_its_place(written: str, said: str) -> None:
    text = f"settings: {written}" if written[0] in "{5" else f"settings: {{{written}}}"
    with pytest.raises(ConfigErrors) as caught:
        written_settings(parse(Source("leadloop.yaml", text)))
    assert str(caught.value) == said
    assert "hush" not in str(caught.value)


def test_no_secret_is_ever_shown() -> None:
    secrets = {
        "LEADLOOP_SALESFORCE__SESSION_ID": "hush1",
        "LEADLOOP_SALESFORCE__INSTANCE_URL": MY_DOMAIN,
        "LEADLOOP_SALESFORCE__CONSUMER_SECRET": "hush2",
        "LEADLOOP_SALESFORCE__PRIVATE_KEY": "hush3",
        "LEADLOOP_HUBSPOT__ACCESS_TOKEN": "hush4",
        "LEADLOOP_HUBSPOT__CLIENT_SECRET": "hush5",
        "LEADLOOP_HUBSPOT__REFRESH_TOKEN": "hush6",
    }
    settings = load_settings({}, secrets)
    shown = f"{settings!r} {settings.salesforce.credentials()!r} {settings.hubspot.credentials()!r}"
    assert "hush" not in shown
    assert "hush" not in _fault({}, {**secrets, "LEADLOOP_HUBSPOT__QUOTA_PERCENT": "0"})


def test_every_setting_is_documented() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")
    parts = {"SALESFORCE": SalesforceSettings, "HUBSPOT": HubSpotSettings, "WEBHOOKS": WebhookSettings}
    names = {f"LEADLOOP_{name.upper()}" for name in Settings.model_fields if name.upper() not in parts}
    for part, model in parts.items():
        names |= {f"LEADLOOP_{part}__{name.upper()}" for name in model.model_fields}
    missing = sorted(name for name in [*names, "LEADLOOP_SECRETS_DIR"] if f"`{name}`" not in page)
    assert missing == []
