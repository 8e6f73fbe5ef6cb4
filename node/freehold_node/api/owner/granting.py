"""The owner's operations about one grant: how it stands, changing it, and whose keys hold it.

Spec: specs/http.md#owner
"""

from __future__ import annotations

from freehold_protocol import form
from freehold_protocol.encoding import Document, Json, parse_time
from freehold_protocol.errors import MalformedError
from freehold_protocol.grant import CHANGES, STATES, Change, Grant
from freehold_protocol.permission import read_permissions

from ...drafts import Choice
from ..keys import INSPECTION, LISTS, RELATIONS, STREAMS, VENDOR_KEYS
from ..messages import PAGED, filled, limit_of, text_of
from ..operation import Answer, Asked, conditional, owned


@owned
async def list_grants(asked: Asked) -> Answer:
    """List the grants; with a state, a text, a limit or a place to go on from, a page of them in a line each."""
    query = filled(asked.query)
    if not query.keys() & {*PAGED, "state"}:
        return Answer(document={"grants": await asked.app[INSPECTION].grants()})
    state = query.get("state")
    if state not in (None, *STATES):
        raise MalformedError("state is live, paused, ended or expired")
    listed = await asked.app[LISTS].grants(
        state=state, text=text_of(query, "q", most=300), after=query.get("after"), limit=limit_of(query)
    )
    return Answer(document=listed)


@conditional
async def show_grant(asked: Asked) -> Answer:
    """Show one grant with its receipt, and how many listen."""
    grant_id = asked.params["grant"]
    found, cid = await asked.app[INSPECTION].grant(grant_id)
    asked.condition.check(cid)
    listening = asked.app[STREAMS].listening(grant_id)
    return Answer(document={**found, "listening": listening}, tag=cid)


@conditional
async def draft_change(asked: Asked) -> Answer:
    """Draw up the next version of a grant."""
    form.check_members(asked.body, required=("change",), optional=("permissions", "expires"))
    change = _change(asked.body["change"])
    says_what = change in ("narrow", "widen")
    if says_what != ("permissions" in asked.body) or ("expires" in asked.body and not says_what):
        raise MalformedError("narrow and widen say what is given from then on; the others do not")
    relations, grant_id = asked.app[RELATIONS], asked.params["grant"]
    choice = choice_of(asked.body) if "permissions" in asked.body else None
    draft = await relations.draft_change(grant_id, change, choice, condition=asked.condition)
    fresh = await relations.needs_passphrase(grant_id, draft.digest)
    told: Document = {"digest": draft.digest, "draft": draft.document, "passphrase": fresh}
    return Answer(document=told, tag=draft.previous)


def _change(value: Json) -> Change:
    found = next((change for change in CHANGES if change == value), None)
    if found is None or found in ("approve", "expire"):
        raise MalformedError("change is narrow, widen, pause, resume, rotate or end")
    return found


@conditional
async def change_grant(asked: Asked) -> Answer:
    """Carry out exactly the draft that was shown; it binds every later read."""
    found = form.check_members(asked.body, required=("digest",), optional=("passphrase",))
    digest = form.text(found["digest"], "digest", most=100)
    relations, grant_id = asked.app[RELATIONS], asked.params["grant"]
    if await relations.needs_passphrase(grant_id, digest, condition=asked.condition):
        await asked.prove()
    return standing(await relations.change(grant_id, digest, condition=asked.condition))


@owned
async def show_keys(asked: Asked) -> Answer:
    """Show whose keys are pinned under a grant, and which wait for the person's word."""
    return Answer(document={"keys": await asked.app[VENDOR_KEYS].listed(asked.params["grant"])})


@conditional
async def accept_keys(asked: Asked) -> Answer:
    """Pin exactly the keys that were shown; capabilities of others are dead from then on."""
    found = form.check_members(asked.body, required=("digest",), optional=("passphrase",))
    digest = form.text(found["digest"], "digest", most=100)
    await asked.prove()
    grant_id = asked.params["grant"]
    accepted = await asked.app[VENDOR_KEYS].accept(grant_id, digest, condition=asked.condition)
    return Answer(document={"accepted": accepted})


def choice_of(body: Document) -> Choice:
    """Return what the person wants to give, of a body that has it. Raises MalformedError."""
    return Choice(
        permissions=read_permissions(body["permissions"]),
        expires_s=parse_time(body["expires"]) if "expires" in body else None,
        not_before_s=parse_time(body["notBefore"]) if "notBefore" in body else None,
    )


def standing(grant: Grant, **more: Json) -> Answer:
    """Answer with how a grant stands after what was done."""
    told: Document = {"grant": grant.id, "version": grant.version, "state": grant.state, **more}
    return Answer(document=told, tag=grant.cid)
