"""Which services the settings may name."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from ivr.domain.errors import BadInput
from ivr.resources.trust import tls_context
from ivr.settings import HttpService, load


def test_a_table_of_ekc_toml_and_the_environment_make_one_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ekc.toml").write_text(
        '[resources.soc]\nurl = "https://soc.example/ekc"\ntimeout_seconds = 2\n'
    )
    monkeypatch.setenv("EKC_RESOURCES__SOC__TIMEOUT_SECONDS", "1.5")
    monkeypatch.setenv("EKC_RESOURCES__PFR__URL", "http://127.0.0.1:8000")

    resources = load(tmp_path).resources

    assert resources == {
        "soc": HttpService(url="https://soc.example/ekc", timeout_seconds=1.5),
        "pfr": HttpService(url="http://127.0.0.1:8000"),
    }


@pytest.mark.parametrize(
    "url",
    [
        "https://soc.example",
        "http://127.9.9.9:1/x",
        "http://localhost/",
        "http://[::1]:80",
        "https://[fd00::1]/",
    ],
)
def test_addresses_that_are_safe_to_ask(url: str) -> None:
    assert HttpService(url=url).url == url


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://soc.example/ekc", "this machine only"),
        ("http://127.0.0.1.example/", "this machine only"),
        ("http://10.0.0.1/", "this machine only"),
        ("http://localhost.example/", "this machine only"),
        ("https://user:secret@soc.example/", "token_file"),
        ("https://soc.example/?key=1", "token_file"),
        ("https://soc.example/#a", "token_file"),
        ("ftp://soc.example/", "https://host/path"),
        ("soc.example", "https://host/path"),
        ("https:///path", "https://host/path"),
        ("https://soc.example:99999/", "no address"),
        ("https://соц.рф/", "ASCII"),
        ("https://soc.example/a b", "ASCII"),
        ("https://soc.example/\n", "ASCII"),
    ],
)
def test_other_addresses_are_refused_with_the_remedy(
    url: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EKC_RESOURCES__SOC__URL", url)

    with pytest.raises(BadInput, match=rf"resources\.soc\.url.*{why}"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("name", "value"), [("CA_FLIE", "ca.pem"), ("TIMEOUT_SECONDS", "0"), ("CLIENT_KEY", "key.pem")]
)
def test_a_misspelt_or_half_setting_is_refused(
    name: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EKC_RESOURCES__SOC__URL", "https://soc.example")
    monkeypatch.setenv(f"EKC_RESOURCES__SOC__{name}", value)

    with pytest.raises(BadInput, match=r"resources\.soc"):
        load(tmp_path)


def test_tls_checks_name_and_authority_and_is_no_older_than_1_2() -> None:
    context = tls_context("soc", HttpService(url="https://soc.example"))

    assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
