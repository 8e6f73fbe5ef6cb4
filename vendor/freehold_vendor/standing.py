"""How a grant stands, by the word its node signed: the vendor's from the grant, a partner's from a status."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

from freehold_protocol import form, limits
from freehold_protocol.encoding import Json, parse_time
from freehold_protocol.grant import STATES, Grant, State
from freehold_protocol.keys import PublicKey
from freehold_protocol.permission import Permission, read_permissions
from freehold_protocol.proof import verify_signed_by

from .errors import MalformedError, ReleaseError

_TYPE: Final = "GrantStatus"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a grant stood when it was looked at.

    Attributes:
        state: ``live``, ``paused``, ``ended`` or ``expired``.
        version: Counts the changes, from 1.
        expires_s: The end, Unix seconds.
        not_before_s: The beginning; 0 where a partner is not told.
        permissions: What is shared; of a partner's view, the one permission or none.
    """

    state: State
    version: int
    expires_s: int
    not_before_s: int = 0
    permissions: tuple[Permission, ...] = ()

    @classmethod
    def of_grant(cls, grant: Grant) -> Self:
        """Return how a verified version says the grant stands."""
        return cls(
            state=grant.state,
            version=grant.version,
            expires_s=grant.expires_s,
            not_before_s=grant.not_before_s,
            permissions=grant.permissions,
        )

    @classmethod
    def of_status(cls, document: Json, *, grant: str, key: PublicKey, now_s: int | None) -> Self:
        """Return what a status document says, if the serving key signed it, about this grant.

        Args:
            document: As received, or kept.
            grant: The part of the grant's address after ``/g/``.
            key: The serving key.
            now_s: The status must have been made now; None: at any time.

        Raises:
            SignatureError: Another key signed it.
            ReleaseError: It is another grant's, or an old one.
            MalformedError: It does not have the form.
        """
        found = form.check_members(
            document,
            required=("@context", "type", "grant", "version", "state", "expires", "proof"),
            optional=("permission",),
        )
        created_s = verify_signed_by(found, key).created_s
        form.constant(found["type"], _TYPE, "type")
        if found["state"] not in STATES:
            raise MalformedError("a grant is " + ", ".join(STATES))
        if found["grant"] != f"urn:uuid:{grant}":
            raise ReleaseError("the status is another grant's")
        if now_s is not None and abs((created_s or 0) - now_s) > limits.MAX_SIGNATURE_LIFETIME_S:
            raise ReleaseError("the status was not made now")
        return cls(
            state=found["state"],
            version=form.count(found["version"], "version"),
            expires_s=parse_time(found["expires"]),
            permissions=read_permissions(found["permission"]) if "permission" in found else (),
        )

    def permission(self, name: str) -> Permission | None:
        """Return the permission of that name, if it is shared."""
        return next((one for one in self.permissions if one.name == name), None)
