"""Whom we believe at the other end of TLS and how we prove who we are: files named by the settings."""

from __future__ import annotations

import re
import ssl
from pathlib import Path

from ivr.domain.errors import BadInput
from ivr.settings import HttpService

MOST_TOKEN = 8192
"""Bytes."""
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""RFC 6750, section 2.1."""


def tls_context(agency: str, service: HttpService) -> ssl.SSLContext:
    """TLS 1.2 or newer; with `ca_file`, that authority alone is believed.

    Raises BadInput that names the setting whose file is not usable.
    """
    context = _authorities(agency, service.ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if service.client_cert is not None:
        _prove(context, agency, service.client_cert, service.client_key)
    return context


def _authorities(agency: str, file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=file)
    except OSError as error:  # ssl.SSLError is one
        raise _unusable(agency, "ca_file", file, error, "a PEM file of certificates") from None


def _prove(context: ssl.SSLContext, agency: str, certificate: Path, key: Path | None) -> None:
    try:
        # a password: without one OpenSSL would ask for it at the terminal
        context.load_cert_chain(certificate, key, password="")
    except OSError as error:
        wanted = "PEM files that belong together, the key without a password"
        raise _unusable(agency, "client_cert or client_key", certificate, error, wanted) from None


def _unusable(agency: str, name: str, file: Path | None, error: OSError, wanted: str) -> BadInput:
    why = type(error).__name__ if isinstance(error, ssl.SSLError) else error.strerror
    return BadInput(f"resources.{agency}.{name}: {file} cannot be used ({why}); give {wanted}")


def read_token(agency: str, file: Path) -> str:
    """The bearer token in a file, read for each question so that it can be replaced while calls go on.

    Raises BadInput, which does not repeat the token.
    """
    try:
        with file.open("rb") as content:
            token = content.read(MOST_TOKEN + 1).decode("ascii").strip()
    except OSError as error:
        raise BadInput(
            f"resources.{agency}.token_file: {file} cannot be read ({error.strerror}); check path and mode"
        ) from None
    except UnicodeDecodeError:
        token = ""
    if len(token) > MOST_TOKEN or not _TOKEN.fullmatch(token):
        raise BadInput(f"resources.{agency}.token_file: {file} holds no bearer token (RFC 6750) on one line")
    return token
