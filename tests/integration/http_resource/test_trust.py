"""Whom we believe to be the participant, and how it knows us: TLS, client certificates, tokens."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from ivr.domain.errors import BadInput, ResourceDown
from tests.harness.certificates import Authority, Identity, serving
from tests.harness.participant import Participant
from tests.integration.http_resource.samples import SNILS, Ask


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def client(authority: Authority) -> Identity:
    return authority.client()


@pytest.fixture
def guarded(authority: Authority) -> Iterator[Participant]:
    """A service that wants a client certificate of the authority."""
    with Participant(tls=serving(authority.server(), clients=authority.file)) as server:
        yield server


async def test_the_own_authority_and_the_client_certificate_open_the_door(
    guarded: Participant, resource: Ask, authority: Authority, client: Identity
) -> None:
    asked_by = resource(
        url=guarded.url, ca_file=authority.file, client_cert=client.certificate, client_key=client.key
    )

    assert (await asked_by.personal(SNILS)).payments == ()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_without_the_client_certificate_the_door_stays_shut(
    version: ssl.TLSVersion, authority: Authority, resource: Ask
) -> None:
    context = serving(authority.server(), clients=authority.file)
    context.minimum_version = context.maximum_version = version
    with Participant(tls=context) as server, pytest.raises(ResourceDown):
        await resource(url=server.url, ca_file=authority.file).personal(SNILS)

    assert server.asked == []


async def test_a_server_of_another_authority_gets_no_question(
    guarded: Participant, resource: Ask, client: Identity, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path, "Another CA")
    asked_by = resource(
        url=guarded.url, ca_file=stranger.file, client_cert=client.certificate, client_key=client.key
    )
    with pytest.raises(ResourceDown, match="ConnectError"):
        await asked_by.personal(SNILS)

    assert guarded.asked == []


async def test_the_operating_systems_authorities_are_believed_only_without_a_ca_file(
    guarded: Participant, resource: Ask
) -> None:
    with pytest.raises(ResourceDown, match="ConnectError"):
        await resource(url=guarded.url).personal(SNILS)


async def test_a_certificate_for_another_address_is_refused(authority: Authority, resource: Ask) -> None:
    identity = authority.server("elsewhere", address="127.0.0.9")
    with Participant(tls=serving(identity)) as server, pytest.raises(ResourceDown, match="ConnectError"):
        await resource(url=server.url, ca_file=authority.file).personal(SNILS)

    assert server.asked == []


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
async def test_tls_older_than_1_2_is_refused(authority: Authority, resource: Ask) -> None:
    context = serving(authority.server())
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with Participant(tls=context) as server, pytest.raises(ResourceDown, match="ConnectError"):
        await resource(url=server.url, ca_file=authority.file).personal(SNILS)


async def test_the_token_is_read_anew_for_each_question(
    soc: Participant, resource: Ask, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text("first.token==\n")
    asked_by = resource(token_file=file)
    await asked_by.personal(SNILS)
    file.write_text("second\n")
    await asked_by.personal(SNILS)

    assert [a.headers["authorization"] for a in soc.asked] == ["Bearer first.token==", "Bearer second"]


async def test_a_token_that_has_gone_is_told_without_its_words(
    soc: Participant, resource: Ask, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text("token")
    asked_by = resource(token_file=file)
    file.write_text("two words")

    with pytest.raises(ResourceDown, match="token_file cannot be used"):
        await asked_by.personal(SNILS)
    assert soc.asked == []


@pytest.mark.parametrize(
    ("name", "content"),
    [("token_file", "two words"), ("token_file", "кот"), ("token_file", ""), ("ca_file", "rubbish")],
)
async def test_a_file_that_cannot_be_used_is_named_at_the_start(
    name: str, content: str, resource: Ask, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    for _ in range(2):
        with pytest.raises(BadInput, match=rf"resources\.soc\.{name}: .*file"):
            resource(**{name: file})
        file.write_text(content)
    with pytest.raises(BadInput, match=rf"resources\.soc\.{name}: .*file"):
        resource(**{name: file})


async def test_a_key_of_another_certificate_is_named_at_the_start(
    resource: Ask, authority: Authority, client: Identity
) -> None:
    other = authority.client("other")

    with pytest.raises(BadInput, match=r"resources\.soc\.client_cert or client_key"):
        resource(client_cert=client.certificate, client_key=other.key)
