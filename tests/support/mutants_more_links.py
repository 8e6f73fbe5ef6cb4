"""Faults in capabilities: their targets, chains, forms, and how they are taken back and renewed."""

from __future__ import annotations

from typing import Any

from freehold_node import holder, relations, revocations, threshold
from freehold_node.api import holding
from freehold_node.app import Node
from freehold_node.gate import Gate
from freehold_node.store.sql import SqlTransactor
from freehold_protocol import capability, delegation, limits, proof, target
from freehold_protocol.capability import Capability
from freehold_protocol.errors import ConflictError
from mutant import Mutants, edit, wrap

mutants = Mutants()


class Anyone(str):
    """A text that is equal to every other."""

    __slots__ = ()

    def __eq__(self, _: object) -> bool:
        return True

    def __ne__(self, _: object) -> bool:
        return False

    __hash__ = str.__hash__


# Targets


@mutants("CAP-8", "takes the parts of a query in any order")
def queries_in_any_order() -> None:
    def within(old: Any, one: str, before: str) -> bool:
        path, mark, query = one.partition("?")
        place, needed, parts = before.partition("?")
        same = bool(mark and needed) and path == place and set(parts.split("&")) <= set(query.split("&"))
        return bool(old(one, before) or same)

    wrap(target, "lies_within", within)


@mutants("CAP-8", "does not look at the query of a capability's target")
def queries_of_targets_are_ignored() -> None:
    wrap(target, "lies_within", lambda old, one, before: old(one, before.partition("?")[0]))


@mutants("CAP-8", "lets a query go on with any text")
def queries_by_prefix() -> None:
    edit(target, "lies_within", ('before + "&" if', "before if"))


@mutants("CAP-8", "compares targets in any case")
def targets_in_any_case() -> None:
    wrap(target, "lies_within", lambda old, one, before: old(one.lower(), before.lower()))


@mutants("CAP-21", "lets the first link lie under no root in particular")
def decoded_targets() -> None:
    from urllib.parse import unquote

    wrap(target, "lies_within", lambda old, one, before: old(unquote(one), unquote(before)))


# Forms


@mutants("CAP-2", "does not look at the contexts of a capability")
def any_contexts_of_links() -> None:
    edit(
        Capability, "from_dict", ('form.constant(found["@context"], contexts_of(suite), "@context")', "pass")
    )


@mutants("CAP-2", "takes any id of a capability")
def any_ids_of_links() -> None:
    edit(Capability, "from_dict", ('form.urn_uuid(found["id"], "id")', 'str(found["id"])'))


@mutants("PRF-9", "takes a link that was signed for another purpose")
def proofs_for_anything() -> None:
    edit(proof, "_claim", ('proof["proofPurpose"] != purpose', "False"))


@mutants("CAP-30", "takes a capability that is compressed otherwise")
def other_compressions() -> None:
    edit(capability, "from_wire", ("wbits=31", "wbits=47"))


@mutants("CAP-30", "takes a capability that is cut off, if what came is all of it")
def cut_compressions() -> None:
    edit(capability, "from_wire", ("not inflater.eof or ", ""))


@mutants("CAP-30", "inflates a capability to whatever it has")
def bombs() -> None:
    limits.MAX_CAPABILITY_BYTES = 2**24


# Chains


@mutants("CAP-16", "does not compare parentCapability with the chain")
def any_parent_capability() -> None:
    edit(Capability, "_check_chain", ('self.document["parentCapability"] != self.chain[-1]', "False"))


@mutants("CAP-16", "takes two links of one id")
def ids_come_twice() -> None:
    edit(Capability, "_check_chain", ("self.id in self.chain", "False"))
    edit(capability, "_read_chain", ("len(set(ids)) != len(ids)", "False"))


@mutants("CAP-22", "counts ninety days from now, and not from when a link was made")
def ninety_days_from_now() -> None:
    edit(
        delegation,
        "_check_lifetime",
        ("link.created_s + limits.MAX_CAPABILITY_DAYS", "link.created_s + (limits.MAX_CAPABILITY_DAYS + 1)"),
    )


@mutants("CAP-21", "looks at the last two links of a chain alone")
def only_the_last_narrows() -> None:
    edit(
        delegation,
        "check_links",
        ("for link in leaf.links:", "for link in leaf.links[-2:]:"),
        ("_check_first(link, root_target)", "_check_lifetime(link)"),
    )


@mutants("CAP-18", "takes a link that its own controller signed")
def links_signed_by_themselves() -> None:
    edit(
        delegation,
        "_check_signers",
        ("if link.signer != key:", "if link.signer not in (key, link.controller):"),
    )


@mutants("CAP-18", "takes a link that anybody above it signed")
def links_signed_from_above() -> None:
    edit(
        delegation,
        "_check_signers",
        (
            "if link.signer != key:",
            "if link.signer not in (key, root_key, *(one.controller for one in links[:links.index(link)])):",
        ),
    )


@mutants("HTTP-12", "tells whoever brings a link that others signed that it is another's")
def strangers_learn_of_signers() -> None:
    edit(
        holder.Prover,
        "_verify",
        ("except FreeholdError:", "except ControllerError:\n        raise\n    except FreeholdError:"),
    )


@mutants("HTTP-12", "tells whoever brings a proof that does not hold that it does not")
def strangers_learn_of_proofs() -> None:
    edit(
        holder.Prover,
        "_verify",
        ("except FreeholdError:", "except SignatureError:\n        raise\n    except FreeholdError:"),
    )


# Taking back


@mutants("HTTP-26", "lets the controller of a capability renounce it, and nobody above")
def only_the_leaf_renounces() -> None:
    edit(
        holding,
        "revoke",
        (
            "signer.key not in chain.controllers and signer.did != grant.vendor",
            "signer.key != chain.controllers[-1]",
        ),
    )


@mutants("HTTP-26", "revokes what is in the body, whatever is in the path")
def any_path_to_revoke() -> None:
    edit(holding, "revoke", ('unquote(request.match_info["capability"]) != leaf.id', "False"))


@mutants("HTTP-26", "does not verify the chain of what is to be revoked")
def unverified_revocations() -> None:
    def check(old: Any, links: Any, root_key: Any) -> None:
        import sys

        if sys._getframe(3).f_code.co_name != "revoke":
            old(links, root_key)

    wrap(delegation, "_check_signers", check)


@mutants("HTTP-27", "revokes the first link of a chain, whichever was named")
def first_links_are_revoked() -> None:
    edit(revocations.Revocations, "renounce", ("chain.digests[-1], seen_by", "chain.digests[0], seen_by"))


@mutants("HTTP-27", "cuts off the holder of what is revoked")
def holders_are_cut_off() -> None:
    edit(revocations.Revocations, "renounce", ("chain.digests[-1], seen_by", "controllers[-1], seen_by"))


@mutants("HTTP-27", "says of a second revocation that it was done")
def once_revoked() -> None:
    revocations.ConflictError = ConflictError
    edit(
        revocations.Revocations,
        "renounce",
        ("            return False", '            raise ConflictError("it is dead already")'),
    )


@mutants("HTTP-27", "writes down once more that what is dead is revoked")
def dead_links_are_revoked() -> None:
    edit(revocations.Revocations, "renounce", ("if dead or", "if False and"))


@mutants("HTTP-27", "revokes what a holder renounces when it has answered")
def revoked_after_the_answer() -> None:
    import asyncio

    holding._later = set()
    holding.asyncio = asyncio
    edit(
        holding, "revoke",
        (
            "await request.app[REVOCATIONS].renounce(grant_id, chain)",
            "one = asyncio.get_running_loop().call_later(0.3, lambda: _later.add(asyncio.ensure_future(request.app[REVOCATIONS].renounce(grant_id, chain))))",
        ),
    )  # fmt: skip


@mutants("HTTP-27", "forgets at a restart what was revoked")
def revocations_in_memory() -> None:
    _forgets("revocation")


def _forgets(table: str) -> None:
    async def take_up(old: Any, self: Any, keys: Any) -> None:
        await self.store.write(lambda tx: tx._execute(f"DELETE FROM {table}", ()))
        await old(self, keys)

    wrap(Node, "_take_up", take_up)


@mutants("GRA-23", "cuts a partner off, and not those to whom it passed access on")
def only_the_partner_is_cut_off() -> None:
    edit(threshold.Threshold, "_check_holder", ("*holder.controllers)", "*holder.controllers[-1:])"))


@mutants("GRA-23", "revokes by the id only what it has seen")
def no_revocation_by_id() -> None:
    edit(threshold.Threshold, "_check_holder", ("*chain.ids, ", ""))


@mutants("GRA-23", "pauses a grant when its only permission is taken back")
def last_permissions_pause() -> None:
    edit(revocations.Revocations, "permission", ('"end"', '"pause"'))


@mutants("GRA-13", "does not count a revocation in the epoch")
def revocations_do_not_count() -> None:
    edit(SqlTransactor, "revoke", ("revocations + 1, epoch = epoch + 1", "revocations + 1"))


# Renewing


@mutants("HTTP-25", "lets a partner renew")
def partners_renew() -> None:
    edit(holding, "renew", ("vendor != signer.did", "vendor == ''"))


@mutants("HTTP-25", "renews what has ended")
def ended_grants_are_renewed() -> None:
    edit(relations.Relations, "issue", ('standing.state == "ended"', "False"))


@mutants("HTTP-25", "renews for whoever has a capability")
def renewed_by_capability() -> None:
    edit(
        holding, "renew",
        (
            "call = _without_capability(await read_call(request))",
            """call = await read_call(request)
    if "capability-invocation" in call.headers:
        await request.app[GATE].enter(call, grant=grant_id)
        return reply({"capability": (await request.app[RELATIONS].issue(grant_id)).document})""",
        ),
    )  # fmt: skip


@mutants("HTTP-24", "issues for longer than the grant has")
def renewed_beyond_the_end() -> None:
    edit(
        relations.Relations,
        "issue",
        (
            "min(grant.expires_s, now_s + limits.CAPABILITY_DAYS * 86_400)",
            "now_s + limits.CAPABILITY_DAYS * 86_400",
        ),
    )


@mutants("HTTP-24", "issues for more than reading")
def renewed_for_writing() -> None:
    edit(relations.Relations, "issue", ('actions=("read",)', 'actions=("read", "write")'))


@mutants("CAP-24", "issues without the mark of its generation, and does not look for it")
def no_marks() -> None:
    edit(
        relations.Relations,
        "issue",
        (
            "generation=self._keys.generation_tag(standing.relationship, standing.key_epoch)",
            "generation=None",
        ),
    )
    edit(
        threshold.Threshold,
        "_check_holder",
        ("chain.generation != self._keys.generation_tag(standing.relationship, standing.key_epoch)", "False"),
    )
    edit(revocations.Revocations, "renounce", ("chain.generation != tag", "False"))


@mutants("HTTP-22", "explains a grant to whoever has a capability, dead or not")
def dead_capabilities_are_told() -> None:
    edit(
        Gate,
        "enter",
        (
            "self._check_holder(tx, standing, holder)\n            holder.chain.check_now(now_us // _US)",
            "pass",
        ),
    )


@mutants("HTTP-22", "does not count who was refused an explanation")
def refusals_of_explanations_are_not_counted() -> None:
    edit(Gate, "enter", ("self._refuse(tx, holder, version, refusal, None, now_us)", "pass"))


@mutants("HTTP-23", "shows a partner the grant")
def partners_see_the_grant() -> None:
    edit(holding, "_vendor", ("not holder.is_vendor", "False"))


@mutants("HTTP-23", "shows a partner a permission that is not for it")
def partners_see_other_permissions() -> None:
    from freehold_node.inspection import Inspection

    edit(Inspection, "status", (" and not no_recipients(reader, standing, given.recipients, partners)", ""))


@mutants("HTTP-23", "shows in a status how all permissions stand")
def status_of_everything() -> None:
    from freehold_node.inspection import Inspection

    edit(Inspection, "status", ("[given.to_dict()]", "[one.to_dict() for one in grant.permissions]"))
