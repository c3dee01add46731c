"""PostgreSQL with two roles, as docs/production.md advises: who may not make tables is told so kindly."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest

from db.crypto import Vault
from db.keys import KeyRing
from db.store import open_store
from ivr.domain.errors import StorageDown
from tests.harness.postgres import Postgres
from tests.integration.conftest import ZONE


def test_an_upgrade_by_a_user_who_may_make_no_tables_is_refused_in_one_sentence(
    postgres: Postgres, tmp_path: Path
) -> None:
    """Nothing is half done: the owner's upgrade finds an empty database."""
    name = postgres.create()
    postgres.sql("CREATE ROLE reader LOGIN")
    try:
        url = postgres.url(name)
        vault = Vault(KeyRing(tmp_path / "keys"))
        served = open_store(
            url.replace("//postgres@", f"//{quote('reader')}@"), vault, timezone=ZONE, node="n"
        )
        with pytest.raises(StorageDown, match="wants the owner of the tables") as refusal:
            served.upgrade()
        assert "\n" not in str(refusal.value)
        served.close()
        owners = open_store(url, vault, timezone=ZONE, node="n")
        assert owners.revision() is None
        owners.upgrade()
        assert owners.check() == []
        owners.close()
    finally:
        postgres.drop(name)
        postgres.sql("DROP ROLE reader")
