"""Settings: environment `EKC_…` over `ekc.toml` in the state directory over the defaults below.

Durations are seconds. Tables of `ekc.toml` are nested models (`[trunk] host` is `EKC_TRUNK__HOST`), see
`ivr/settings/tables.py`.
"""

from __future__ import annotations

import os
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from ivr.domain.errors import BadInput
from ivr.settings.appointments import AgreedSettings, DeferredSettings
from ivr.settings.calling import CallbackSettings
from ivr.settings.kinds import Port, PortRange, Seconds
from ivr.settings.places import Places
from ivr.settings.tables import (
    AlarmSettings,
    HttpService,
    IdentificationRules,
    SpeechSettings,
    Trunk,
    WatchSettings,
)

__all__ = [
    "AlarmSettings",
    "CallbackSettings",
    "HttpService",
    "IdentificationRules",
    "Settings",
    "SpeechSettings",
    "Trunk",
    "WatchSettings",
    "load",
]


class Settings(Places, BaseSettings):
    """All settings of one system; see docs/settings.md."""

    model_config = SettingsConfigDict(
        env_prefix="EKC_", env_nested_delimiter="__", extra="ignore", validate_default=True
    )

    # Where we listen
    bind: str = "127.0.0.1"
    sip_port: Port = 5060
    operators_port: Port = 5070
    web_port: Port = 8080
    ami_port: Port = 5038
    agi_port: Port = 4573
    rtp_ports: PortRange = (20000, 21000)
    trunk: Trunk = Trunk()
    max_calls: Annotated[int, Field(ge=1)] = 400
    rtp_timeout_seconds: Seconds = 60.0
    """A call whose other side has sent no sound for so long is dead."""
    rtp_hold_timeout_seconds: Seconds = 900.0
    """The same while it is on hold."""
    session_expires_seconds: Annotated[int, Field(ge=90)] = 1800
    """RFC 4028: both sides must still know of the call."""
    qualify_seconds: Seconds = 30.0
    """How often an operator's phone is asked whether it is still there."""

    # What we keep
    database_url: str = ""
    """Empty: SQLite `ekc.db` in the state directory. PostgreSQL: `postgresql://user@host/name`."""
    prompts_dir: Path | None = None
    asterisk_root: Path | None = None
    """An unpacked tree or `/`; empty: the installed one if supported, else the cache of `make setup`."""
    synthesis_command: str = "espeak-ng -v ru -s 130 -w {output} -f {input}"
    synthesis_seconds: Seconds = 10.0
    """What one run of the command may take."""
    node: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,32}$")] = "node1"

    # How the line behaves
    timezone: str = "Asia/Yekaterinburg"
    opens: str = "09:00"
    closes: str = "18:00"
    confirmed_years: tuple[int, ...] = ()
    """Years whose production calendar the site has compared with the decree: `EKC_CONFIRMED_YEARS=[2027]`."""
    silence_seconds: Seconds = 60.0
    digit_seconds: Seconds = 6.0
    """Between two digits of one answer."""
    no_input: Literal["goodbye", "operator"] = "goodbye"
    recording: bool = False
    queue_seconds: Seconds = 900.0
    queue_length: Annotated[int, Field(ge=1)] = 100
    announce_seconds: Annotated[float, Field(ge=15)] = 60.0
    """How often a waiting caller hears the place and the expected wait again."""
    announce_change_seconds: Annotated[float, Field(ge=1)] = 15.0
    """And at the earliest, when the place has changed."""
    handling_seconds: Seconds = 240.0
    """Talk and wrap-up of one caller, as long as too few have been served to know better."""
    closing_seconds: Annotated[float, Field(ge=0)] = 1800.0
    """Who waits when the line closes is served for so long, then called back first (§12)."""
    return_seconds: Seconds = 600.0
    """Who was cut off while waiting and calls again within so long has the place back."""
    ring_seconds: Seconds = 20.0
    transfer_seconds: Seconds = 60.0
    """How long the second operator is looked for before a transfer has failed (§23)."""
    transfer_hold_seconds: Seconds = 300.0
    """How long a citizen may be on hold while two operators talk."""
    operator_back_seconds: Annotated[float, Field(ge=5)] = 20.0
    """A citizen whose operator's telephone died waits so long for the same operator."""
    phone_rtp_timeout_seconds: Seconds = 30.0
    """An operator's telephone that has sent no sound for so long in a talk is dead."""
    wrapup_seconds: Seconds = 30.0
    missed_rings: Annotated[int, Field(ge=1)] = 2
    """Rings in vain in a row, then the operator is put on a pause."""
    refused_calls: Annotated[int, Field(ge=1)] = 5
    """The same for calls that the telephone refuses."""
    away_seconds: Seconds = 30.0
    """An operator on duty whose telephone is not there for so long is an alarm."""
    served_seconds: Seconds = 5.0
    answer_seconds: Annotated[float, Field(ge=1)] = 20.0
    """The service level counts who was answered within so long (docs/metrics.md)."""
    short_abandon_seconds: Annotated[float, Field(ge=0)] = 5.0
    """Who hangs up within so long has hardly wanted an operator."""
    pair_tries_per_call: Annotated[int, Field(ge=1)] = 3
    pair_tries_per_caller: Annotated[int, Field(ge=1)] = 10
    """Wrong receipt number and date pairs from one calling number in an hour, then a lock."""
    pair_tries_per_line: Annotated[int, Field(ge=1)] = 300
    """Wrong pairs of everybody in an hour, then each look-up is delayed and an alarm raised."""
    pair_window_seconds: Seconds = 3600.0
    pair_lock_seconds: Seconds = 900.0
    """The first lock; each in a row is twice as long as the last."""
    pair_lock_cap_seconds: Seconds = 86400.0
    guess_delay_seconds: Seconds = 3.0
    """How long each look-up or identification waits while the whole line is being guessed at."""
    identification: IdentificationRules = IdentificationRules()

    # Callers who speak
    speech: SpeechSettings = SpeechSettings()

    # Who answers about citizens
    resources: dict[str, HttpService] = {}
    """By agency code, `[resources.soc]`. An agency that is not named is answered from our own tables."""

    # Whom we call
    callbacks: CallbackSettings = CallbackSettings()

    # Without the engine
    emergency_at_once: Annotated[int, Field(ge=1)] = 20
    """Callers who are asked at the same time whether to be called back; further ones hear music first."""
    reconcile_seconds: Annotated[float, Field(ge=5)] = 180.0
    """How often arrivals, cards and callbacks are compared with each other."""
    emergency_keep_days: Annotated[float, Field(gt=0)] = 30.0
    """How long the sealed files of taken callbacks stay in the archive."""

    # When citizens are called back
    agreed: AgreedSettings = AgreedSettings()
    deferred: DeferredSettings = DeferredSettings()

    # Who is told
    alarm: AlarmSettings = AlarmSettings()

    # How the engine guards itself
    agi_connections: Annotated[int, Field(ge=1)] = 500
    agi_idle_seconds: Seconds = 10.0
    """A client that connects and says nothing."""
    database_seconds: Seconds = 3.0
    """How long a conversation waits for the database; then it goes on without it."""
    drain_seconds: Seconds = 10.0
    heartbeat_seconds: Seconds = 5.0
    watch: WatchSettings = WatchSettings()
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        state = init_settings().get("state") or os.environ.get("EKC_STATE") or "state"
        toml = TomlConfigSettingsSource(settings_cls, Path(state) / "ekc.toml")
        return (init_settings, env_settings, toml)

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"{value!r} is no time zone; name one like Asia/Yekaterinburg") from None
        return value

    @model_validator(mode="after")
    def _trunk_is_named(self) -> Settings:
        if not ip_address(self.bind).is_loopback and not self.trunk.host:
            raise ValueError(f"bind is {self.bind}: name the trunk (EKC_TRUNK__HOST) before leaving loopback")
        return self

    @model_validator(mode="after")
    def _pair_cap_holds_the_first(self) -> Settings:
        if self.pair_lock_cap_seconds < self.pair_lock_seconds:
            raise ValueError("pair_lock_cap_seconds cannot be less than pair_lock_seconds")
        return self

    @property
    def speech_port(self) -> int:
        return self.speech.port or self.agi_port

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def sqlalchemy_url(self) -> str:
        """The database as SQLAlchemy names it: `sqlite:///…` or `postgresql+psycopg://…`."""
        if not self.database_url:
            return f"sqlite:///{self.state / 'ekc.db'}"
        head, sep, rest = self.database_url.partition("://")
        return f"postgresql+psycopg{sep}{rest}" if head in ("postgres", "postgresql") else self.database_url


def load(state: str | Path | None = None) -> Settings:
    """The settings in force.

    state: the state directory, or None for `EKC_STATE` or `./state`.
    Raises BadInput with one line for each wrong setting.
    """
    try:
        return Settings(state=Path(state)) if state is not None else Settings()
    except ValidationError as error:
        lines = [f"{'.'.join(str(p) for p in e['loc']) or 'settings'}: {e['msg']}" for e in error.errors()]
        raise BadInput("wrong settings (environment EKC_… or ekc.toml): " + "; ".join(lines)) from None
