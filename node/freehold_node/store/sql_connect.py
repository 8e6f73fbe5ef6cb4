"""What concerns requests that the person's browser carried, in plain SQL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from .rows import RequestRow

REQUEST: Final = (
    "SELECT id, relationship, cid, status, received_us, decided_us, grant_id, reason, document,"
    " carried, code_digest, code_until_us, claimed_us FROM request WHERE owner = ?"
)


def request_of(row: tuple[Any, ...]) -> RequestRow:
    """Return what ``REQUEST`` selects."""
    (
        id_, relationship, cid, status, received_us, decided_us, grant, reason, document,
        carried, code_digest, code_until_us, claimed_us,
    ) = row  # fmt: skip
    return RequestRow(
        id=id_, relationship=relationship, cid=cid, status=status, received_us=received_us,
        decided_us=decided_us, grant=grant, reason=reason, document=document, carried=bool(carried),
        code_digest=code_digest, code_until_us=code_until_us, claimed_us=claimed_us,
    )  # fmt: skip


class ConnectReader:
    """See ``Reader``."""

    _execute: Callable[..., list[tuple[Any, ...]]]

    def carried_request(self, owner: str, cid: str) -> RequestRow | None:
        rows = self._execute(f"{REQUEST} AND cid = ? AND carried = 1", (owner, cid))
        return request_of(rows[0]) if rows else None


class ConnectTransactor(ConnectReader):
    """See ``Transactor``."""

    _did: Callable[..., bool]

    def set_code(self, owner: str, id_: str, digest: bytes, *, until_us: int) -> bool:
        return self._did(
            "UPDATE request SET code_digest = ?, code_until_us = ?"
            " WHERE owner = ? AND id = ? AND carried = 1 AND status = 'approved' AND claimed_us IS NULL",
            digest, until_us, owner, id_,
        )  # fmt: skip

    def claim(self, owner: str, id_: str, *, now_us: int) -> bool:
        return self._did(
            "UPDATE request SET claimed_us = ?, code_digest = NULL, code_until_us = 0"
            " WHERE owner = ? AND id = ? AND carried = 1 AND status = 'approved' AND claimed_us IS NULL",
            now_us, owner, id_,
        )  # fmt: skip
