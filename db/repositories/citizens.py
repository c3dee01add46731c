"""Citizens and the hashes of their secret codes (§21)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime

from db.access import Access, Row
from db.crypto import Keyed
from db.keys import KeyKind
from db.repositories.upserts import SNILS, Kind, Upserts
from db.tables import citizens
from ivr.domain.benefits import Citizen
from ivr.domain.errors import NotFound, StorageDown
from ivr.domain.receipt import digits_of
from ivr.ports import CodeHashes, Credentials

_TEXTS = (
    *("last_name", "first_name", "patronymic"),
    *("document_type", "document_series", "document_number"),
)
_CREDENTIALS = ("phone", "document_series", "document_number", "code_keypad", "code_exact")
_UNKNOWN = "there is no citizen with this SNILS"


class SqlCitizens:
    """`ivr.ports.Citizens`."""

    def __init__(self, access: Access) -> None:
        self._db = access
        self._rows = Upserts(access, CITIZENS)

    def upsert(self, citizens: Iterable[Citizen]) -> int:
        return self._rows.upsert(citizens)

    def get(self, snils: str) -> Citizen:
        found = self._rows.find("snils_hash", (SNILS, snils))
        if not found:
            raise NotFound(_UNKNOWN)
        return found[0]

    def credentials(self, snils: str) -> Credentials | None:
        """See the port. One query, and as many values opened, whether or not there is such a citizen."""
        found = self._rows.rows("snils_hash", (SNILS, snils))
        clear = self._credentials(found[0] if found else {})
        if not found:
            return None
        return Credentials(
            phone=clear["phone"],
            document=digits_of((clear["document_series"] or "") + (clear["document_number"] or "")),
            code=_code(clear),
        )

    def _credentials(self, row: Row) -> dict[str, str | None]:
        vault, id_ = self._db.vault, str(row.get("id", ""))
        return {
            name: vault.open_alike(row.get(name), table=citizens.name, column=name, row=id_)
            for name in _CREDENTIALS
        }

    def set_code(self, snils: str, code: CodeHashes) -> None:
        """See the port. A pepper that was retired after the hashes were made cannot check them any more."""
        found = self._rows.rows("snils_hash", (SNILS, snils))
        if not found:
            raise NotFound(_UNKNOWN)
        sealed = {"code_keypad": code.keypad, "code_exact": code.exact}
        row = {
            **self._db.vault.seal_row(citizens, sealed, row=found[0]["id"]),
            "code_pepper": self._pepper(code),
            "code_set_at": datetime.now(UTC),
        }
        self._db.change(citizens, found[0]["id"], row)

    def _pepper(self, code: CodeHashes) -> str:
        ids = {text.partition("$")[0] for text in (code.keypad, code.exact)}
        if len(ids) != 1 or not ids <= set(self._db.vault.ids(KeyKind.PEPPER)):
            raise StorageDown("the pepper this code was hashed with is in use no more; set the code again")
        return ids.pop()


def _code(clear: Mapping[str, str | None]) -> CodeHashes | None:
    keypad, exact = clear["code_keypad"], clear["code_exact"]
    return None if keypad is None or exact is None else CodeHashes(keypad=keypad, exact=exact)


def _hashes(citizen: Citizen) -> Mapping[str, Keyed]:
    return {"snils_hash": (SNILS, citizen.snils)}


def _clear(citizen: Citizen) -> Row:
    """An empty text is NULL: nothing is not worth a seal."""
    return {
        "snils": citizen.snils,
        **{name: getattr(citizen, name) or None for name in _TEXTS},
        "birth_date": citizen.birth_date and citizen.birth_date.isoformat(),
        "phone": citizen.phone,
    }


def _record(clear: Row) -> Citizen:
    born = clear["birth_date"]
    return Citizen(
        snils=clear["snils"],
        **{name: clear[name] or "" for name in _TEXTS},
        birth_date=born and date.fromisoformat(born),
        phone=clear["phone"],
    )


CITIZENS = Kind(table=citizens, identity="snils_hash", hashes=_hashes, clear=_clear, record=_record)
