"""Where everything of one system lies: all of it below its state directory."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, field_validator


class Places(BaseModel):
    """The state directory and what is in it."""

    state: Path = Path("state")

    @field_validator("state")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().resolve()

    @property
    def run_dir(self) -> Path:
        return self.state / "run"

    @property
    def log_dir(self) -> Path:
        return self.state / "log"

    @property
    def asterisk_dir(self) -> Path:
        """Everything of Asterisk's that changes: etc, lib, spool, log, run."""
        return self.state / "asterisk"

    @property
    def keys_dir(self) -> Path:
        return self.state / "keys"

    @property
    def known_days(self) -> Path:
        """Own exceptions to the calendar as last read, for when the database is down."""
        return self.run_dir / "calendar.json"

    @property
    def emergency_spool(self) -> Path:
        """Callbacks that were asked for while there was no engine."""
        return self.state / "spool" / "emergency"

    @property
    def emergency_public_key(self) -> Path:
        """What they are sealed with."""
        return self.state / "spool" / "emergency.pub"

    @property
    def emergency_failed(self) -> Path:
        """Touched when one could not be kept."""
        return self.state / "spool" / "emergency.failed"

    @property
    def prompts_cache(self) -> Path:
        return self.state / "prompts"

    @property
    def models_dir(self) -> Path:
        """Recognition models, and which of them is in use."""
        return self.state / "models"
