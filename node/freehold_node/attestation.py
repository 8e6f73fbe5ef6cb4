"""Who attests what a file holds: credentials are verified before anything is said or kept of them.

Spec: specs/node/imports.md#credentials
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from freehold_protocol.encoding import Document
from freehold_protocol.errors import FreeholdError, MalformedError, SignatureError

from .foreign import Foreign
from .imports import Found, Preview, Skipped
from .imports.credential import issuer_of
from .imports.preview import nothing_in
from .imports.reasons import reason_of, why

_MAX_CREDENTIALS: Final = 50
"""Of one file: each may take its second."""


async def attested(preview: Preview, foreign: Foreign) -> Preview:
    """Return the preview with the issuer of each credential whose proof verifies, and without the others.

    Raises:
        MalformedError: Nothing is left.
    """
    found: list[Found] = []
    skipped: list[Skipped] = []
    looked_at = 0
    for one in preview.found:
        if one.credential is None:
            found.append(one)
            continue
        looked_at += 1
        try:
            if looked_at > _MAX_CREDENTIALS:
                raise MalformedError(why("many-credentials", most=_MAX_CREDENTIALS))
            issuer = await _issuer(one.credential, foreign)
        except FreeholdError as error:
            skipped.append(
                Skipped(where=one.where, reason=why("proof-not-verified", reason=reason_of(error)))
            )
        else:
            document: Document = {**one.document, "attestedBy": issuer}
            found.append(replace(one, document=document, label=f"{one.label} (attested by {issuer})"))
    if not found:
        raise MalformedError(nothing_in(preview.format, skipped))
    return replace(preview, found=tuple(found), skipped=(*preview.skipped, *skipped))


async def _issuer(credential: Document, foreign: Foreign) -> str:
    """Return the DID of the issuer if every proof verifies and one is by a key of the issuer's."""
    verified = await foreign.verify_all(credential)
    issuer = issuer_of(credential)
    if issuer is None or issuer not in {one.method.partition("#")[0] for one in verified}:
        raise SignatureError(why("not-its-issuer"))
    return issuer
