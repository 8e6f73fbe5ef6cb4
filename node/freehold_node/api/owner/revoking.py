"""The owner's operations that take back: something within a grant, or grants as a whole.

Spec: specs/http.md#owner
"""

from __future__ import annotations

from freehold_protocol import form
from freehold_protocol.errors import MalformedError

from ..keys import REVOCATIONS
from ..operation import Answer, Asked, conditional, owned


@conditional
async def revoke(asked: Asked) -> Answer:
    """Take something back within a grant: from a partner, one capability, or one permission."""
    found = form.check_members(asked.body, required=(), optional=("partner", "capability", "permission"))
    if len(found) != 1:
        raise MalformedError("say one of partner, capability and permission")
    revocations, grant_id = asked.app[REVOCATIONS], asked.params["grant"]
    if "permission" in found:
        name = form.short_name(found["permission"], "permission")
        state = await revocations.permission(grant_id, name, condition=asked.condition)
        return Answer(document={"revoked": True, "state": state})
    if "partner" in found:
        partner = form.did(found["partner"], "partner")
        return Answer(
            document={"revoked": await revocations.partner(grant_id, partner, condition=asked.condition)}
        )
    named = form.text(found["capability"], "capability", most=60)
    return Answer(
        document={"revoked": await revocations.capability(grant_id, named, condition=asked.condition)}
    )


@owned
async def revoke_all(asked: Asked) -> Answer:
    """End every grant of one vendor, or every grant there is."""
    found = form.check_members(asked.body, required=(), optional=("vendor", "everything"))
    revocations = asked.app[REVOCATIONS]
    if set(found) == {"vendor"}:
        ended = await revocations.vendor(form.did(found["vendor"], "vendor"))
    elif set(found) == {"everything"} and found["everything"] is True:  # 1 == True, and is no such word
        ended = await revocations.everything()
    else:
        raise MalformedError('say a vendor, or {"everything": true}')
    return Answer(document={"ended": list(ended)})
