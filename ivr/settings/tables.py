"""The tables of `ekc.toml`: settings that belong together and to one part of the system."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ivr.settings.kinds import CommandLine, Port, Seconds, ServiceUrl


class Trunk(BaseModel):
    """The SIP trunk to the operator of the 8-800 number; `host` empty means loopback peers only."""

    host: str = ""
    port: Port = 5060
    transport: Literal["udp", "tcp"] = "udp"
    username: str = ""
    password_file: Path | None = None
    identity: Literal["auto", "pai", "rpid", "from"] = "auto"
    """auto: P-Asserted-Identity, else From."""
    outbound_cli: str = "+78006000000"


class HttpService(BaseModel):
    """An agency's own information resource over HTTP/JSON (§22); see docs/information-resource.md."""

    model_config = ConfigDict(extra="forbid")  # a misspelt ca_file must not pass for no ca_file

    url: ServiceUrl
    timeout_seconds: Annotated[float, Field(gt=0, le=60)] = 3.0
    """For the whole answer, a second try included: a caller is waiting."""
    ca_file: Path | None = None
    """PEM: the only authorities that are believed; None: those of the operating system."""
    client_cert: Path | None = None
    client_key: Path | None = None
    """None: the key is in the file of client_cert."""
    token_file: Path | None = None
    """Sent as a bearer token."""
    breaker_failures: Annotated[int, Field(ge=1)] = 5
    """Unanswered questions in a row until it is not asked any more."""
    breaker_seconds: Seconds = 30.0
    """Until it is tried again."""

    @model_validator(mode="after")
    def _key_has_certificate(self) -> HttpService:
        if self.client_key is not None and self.client_cert is None:
            raise ValueError("client_key is of no use without client_cert")
        return self


class IdentificationRules(BaseModel):
    """How callers are identified, and how often somebody may guess (§21); see docs/identification.md."""

    model_config = ConfigDict(extra="forbid")

    ivr_personal: bool = True
    """Whether keys alone (SNILS, code, number or document) open personal information."""
    readback_seconds: Annotated[float, Field(ge=0)] = 3.0
    """How long `*` may be thought about after the SNILS was read back."""
    tries_per_call: Annotated[int, Field(ge=1)] = 3
    tries_per_snils: Annotated[int, Field(ge=1)] = 5
    """Failures about one SNILS in a window, then a lock; calls from the number on file are counted apart."""
    tries_per_number: Annotated[int, Field(ge=1)] = 10
    """The same from one calling number."""
    window_seconds: Seconds = 86400.0
    lock_seconds: Seconds = 900.0
    """The first lock; each in a row is twice as long as the last."""
    lock_cap_seconds: Seconds = 86400.0
    tries_per_line: Annotated[int, Field(ge=1)] = 300
    """Failures of everybody in a line's window, then each attempt is delayed and an alarm raised."""
    line_window_seconds: Seconds = 3600.0

    @model_validator(mode="after")
    def _cap_holds_the_first(self) -> IdentificationRules:
        if self.lock_cap_seconds < self.lock_seconds:
            raise ValueError("lock_cap_seconds cannot be less than lock_seconds")
        return self


class AlarmSettings(BaseModel):
    """A program that is told about each new alarm."""

    model_config = ConfigDict(extra="forbid")

    command: CommandLine = ""
    """Program and arguments; it reads a line of JSON: `since`, `what`, `remedy`. Empty: nobody is told."""
    seconds: Seconds = 10.0
    """What one run may take."""
    again_seconds: Annotated[float, Field(ge=0)] = 300.0
    """An alarm that goes and comes back within so long is not told again."""


class WatchSettings(BaseModel):
    """When an Asterisk that runs counts as dead: it is killed and started again, and its calls end."""

    model_config = ConfigDict(extra="forbid")

    sip_seconds: Annotated[float, Field(ge=5)] = 12.0
    """Of no answer to SIP OPTIONS at the line's port."""
    ami_seconds: Annotated[float, Field(ge=5)] = 15.0
    """Of no answer by the manager interface."""
    call_seconds: Annotated[float, Field(ge=10)] = 22.0
    """Of no call taken: neither a citizen's nor the supervisor's own, which it makes when nobody calls."""


class SpeechSettings(BaseModel):
    """How the line listens, when a model is in use (`ekc speech use`); see docs/speech.md."""

    model_config = ConfigDict(extra="forbid")

    enabled: bool = True
    """False: callers answer by keys alone, whatever model is in use."""
    port: Annotated[int, Field(ge=0, le=65535)] = 0
    """Between Asterisk and the engine, on 127.0.0.2 only; 0: as agi_port."""
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    """Processes that recognise; each loads the model for itself."""
    streams: Annotated[int, Field(ge=1)] = 20
    """Conversations that are listened to at once; further ones are led by keys alone."""
    confidence: Annotated[int, Field(ge=0, le=100)] = 50
    """What the recogniser is less sure of is said back to the caller."""
    pause_seconds: Annotated[float, Field(gt=0, le=10)] = 1.5
    """A number without a fixed length is complete when nothing more is said for so long."""
    hang_seconds: Seconds = 10.0
    """A process that lags behind its callers by so much is killed and started again."""
    names_by_voice: bool = False
    """Whether SNILS and full name, both said, open the status of applications (§20)."""
