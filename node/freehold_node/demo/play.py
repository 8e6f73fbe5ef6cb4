"""The play: each step is done, seen, compared with what must come of it, and only then told.

Spec: specs/node/cli.md#demo
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from freehold_protocol.canonical import jcs_digest, without_proof
from freehold_protocol.encoding import Document, base64url_encode, format_time
from freehold_protocol.errors import EndedError, NotSharedError, TargetError
from freehold_protocol.permission import Permission

from ..ambient import Ambient
from .actor import Actor
from .expectation import Values, chosen, expect, values_of
from .person import Command
from .scenario import SHOP, Fields, Scenario, drops, picks
from .stage import COURIER_MODULE, SHEET, SHOP_MODULE, Stage, open_stage
from .telling import SHORT, Telling, lines_of, path_of, short_key
from .transcript import Step, Transcript

_DAYS: Final = 30
_DAY_S: Final = 86_400
_WAIT_S: Final = 20

Tell = Callable[[Step], None]
Stay = Callable[[Stage, Actor], Awaitable[None]]


async def run_demo(
    scenario: Scenario,
    *,
    command: Command,
    tell: Tell = lambda _: None,
    port: int = 0,
    keep: bool = False,
    stay: Stay | None = None,
) -> Transcript:
    """Play a scenario and return what happened.

    Args:
        scenario: What is played.
        command: Runs a command of ``freehold``.
        tell: Called with each step that came out as it must.
        port: Where the node listens; 0 for any free one.
        keep: Leave the folder when it is over.
        stay: Awaited at the end, with everything still up.

    Raises:
        DemoFailedError: A step did not come out as it must.
        FreeholdError: The node cannot be opened.
    """
    async with open_stage(scenario, command, port=port, keep=keep) as stage:
        play = _Play(scenario, stage, tell)
        await play.run()
        if stay is not None:
            await play.ask_again()
            await stay(stage, play.shop)
        return play.transcript


class _Play:
    """One performance: what is known so far, and a method for each step."""

    shop: Actor
    courier: Actor

    def __init__(self, scenario: Scenario, stage: Stage, tell: Tell) -> None:
        self._scenario, self._stage, self._person, self._tell = scenario, stage, stage.person, tell
        self.transcript = Transcript()
        self._facts = self.transcript.facts
        self._content: Document = {}
        self._invitation = self._request = self._grant = ""
        self._told_entries = 0

    async def run(self) -> None:
        for step in (
            self._make_node, self._bring_data, self._invite, self._ask, self._approve, self._read,
            self._narrow, self._delegate, self._look_at_ledger, self._end, self._verify, self._alter,
        ):  # fmt: skip
            done = await step()
            self.transcript.steps.append(done)
            self._tell(done)

    def _step(self, title: str, results: Sequence[str], wire: Sequence[str] = ()) -> Step:
        return Step(title=title, commands=self._person.typed(), wire=tuple(wire), results=tuple(results))

    # Steps

    async def _make_node(self) -> Step:
        stage = self._stage
        made = await self._person.types("init", "--sheet", stage.folder / SHEET)
        expect((stage.folder / SHEET).is_file(), "there is no recovery sheet")
        await stage.open_node()
        self.courier = await stage.start("courier", COURIER_MODULE)
        self.shop = await stage.start("sample shop", SHOP_MODULE)
        return self._step(
            "You make a node and run it",
            [
                f"keys of generation {made['generation']}, encrypted; the recovery sheet is in {SHEET}",
                f"your node listens at {stage.base}, as `freehold serve` would",
                f"beside it runs a sample shop, {short_key(self.shop.did)}",
                f"and beside that its courier, {short_key(self.courier.did)}",
            ],
        )

    async def _bring_data(self) -> Step:
        scenario = self._scenario
        file = self._stage.folder / scenario.file_name
        preview = await self._person.types("import", file, "--preview")
        done = await self._person.types("import", file, "--me", scenario.me, "--yes")
        expect(done["added"] == len(preview["found"]), "not everything in the preview was imported")
        expect(done["self"] is not None, "no record is marked as the person's")
        shown = await self._person.looks("records", "show", done["self"]["id"])
        self._content = shown["content"]
        return self._step(
            "You bring your address book",
            [
                f"{done['added']} records added, {len(done['skipped'])} parts left out and listed",
                f"you are {done['self']['label']}; of {len(values_of(self._content))} fields nobody reads any yet",
            ],
        )

    async def _invite(self) -> Step:
        made = await self._person.types("invite", SHOP)
        self._invitation = made["url"]
        expect(self._invitation.startswith(self._stage.base + "/i/"), "the invitation is not at the node")
        return self._step(
            "You invite the shop", [f"an address at which one vendor can ask once: {self._invitation}"]
        )

    async def ask_again(self) -> None:
        """Let the shop ask for the same at a new invitation, so that the person finds something to decide."""
        self._invitation = (await self._person.looks("invite", SHOP))["url"]
        await self._shop_asks(self._permissions())

    def _permissions(self) -> list[Document]:
        return [asked.to_permission(name, self.courier.did) for name, asked in self._scenario.asked.items()]

    async def _shop_asks(self, permissions: list[Document]) -> Document:
        body = {
            "invitation": self._invitation,
            "permissions": permissions,
            "expires": format_time(Ambient().clock.now_s() + _DAYS * _DAY_S),
            "benefit": self._scenario.benefit,
        }
        told: Document = await self.shop.post("/ask", body)
        _no_error(told, "the shop could not ask")
        return told

    async def _ask(self) -> Step:
        permissions = self._permissions()
        told = await self._shop_asks(permissions)
        waiting = (await self._person.types("requests", "--status", "waiting"))["requests"]
        expect(len(waiting) == 1, "the request did not arrive, or not alone")
        request = waiting[0]
        self._request = request["id"]
        await self._person.types("requests", "show", self._request[:SHORT])
        self._facts.codes = [told["code"], request["code"]]
        expect(told["code"] == request["code"], "the two screens show different codes")
        expect(
            request["permissions"] == [_with_defaults(one) for one in permissions], "other things were asked"
        )
        asked = [f"{name}: {', '.join(one.fields)}" for name, one in self._scenario.asked.items()]
        return self._step(
            "The shop asks",
            [*asked, f"its screen shows {told['code']}, yours shows {request['code']}: the same request"],
            [
                f"shop -> node: POST {path_of(self._invitation)}, a request signed by {short_key(self.shop.did)}"
            ],
        )

    async def _approve(self) -> Step:
        scenario = self._scenario
        give = [part for pick in picks(scenario.given) for part in ("--give", pick)]
        done = await self._person.types("approve", self._request[:SHORT], *give, "--yes")
        draft = done["draft"]
        self._grant, self._facts.digest = done["grant"], done["digest"]
        granted = {one["name"]: one["items"][0]["fields"] for one in draft["permission"]}
        self._facts.granted = granted
        expect(_same(granted, scenario.given), "the draft gives something else than was ticked")
        digest = base64url_encode(jcs_digest(without_proof(draft)))
        expect(digest == done["digest"], "the digest is not that of the draft")
        decision = await self.shop.get(f"/decision?wait={_WAIT_S}")
        _no_error(decision, "the shop was not told")
        expect(decision["status"] == "approved", f"the shop was told {decision['status']!r}")
        given, asked = _count(scenario.given), sum(len(one.fields) for one in scenario.asked.values())
        return self._step(
            f"You approve {given} of {asked} fields",
            [
                *(f"{name}: {', '.join(fields)}" for name, fields in granted.items()),
                f"what you approve is exactly the draft with the digest {done['digest']}",
                f"until {draft['expires']}; it is grant {self._grant[:SHORT]}",
            ],
            [f"node -> shop: {decision['status']}, with a right to read that only its key can use"],
        )

    async def _read(self) -> Step:
        scenario = self._scenario
        self._facts.first = await self._read_all(self.shop, scenario.given)
        lines = lines_of(self._facts.first)
        for name, asked in scenario.asked.items():
            left_out = [path for path in asked.fields if path not in scenario.given.get(name, ())]
            if left_out:
                code = await self._refused(
                    self.shop, f"{name}?fields={left_out[0]}", "read", {NotSharedError.code}
                )
                lines.append(f"{left_out[0]}, asked for by name: refused ({code})")
        title = f"The shop reads {_count(scenario.given)} fields, and no other"
        return self._step(title, lines, await self._wire())

    async def _narrow(self) -> Step:
        scenario = self._scenario
        less = [part for drop in drops(scenario) for part in ("--drop", drop)]
        done = await self._person.types("narrow", self._grant[:SHORT], *less)
        left = {one["name"]: one["items"][0]["fields"] for one in done["draft"]["permission"]}
        expect(_same(left, scenario.kept), "the narrowed grant is another than was asked for")
        self._facts.narrowed = await self._read_all(self.shop, scenario.kept)
        results = [f"version {done['version']} of the grant", *lines_of(self._facts.narrowed)]
        for name in (one for one in scenario.given if one not in scenario.kept):
            code = await self._refused(self.shop, name, "narrowed", {NotSharedError.code})
            results.append(f"{name}: refused ({code})")
        before, after = _count(scenario.given), _count(scenario.kept)
        return self._step(
            f"You take {before - after} away, and the next read has {after}",
            results,
            await self._wire(),
        )

    async def _delegate(self) -> Step:
        scenario = self._scenario
        passed = await self.shop.post(
            "/delegate", {"permission": scenario.courier, "courier": self.courier.url}
        )
        _no_error(passed, "the shop could not pass its right on")
        kept = scenario.kept[scenario.courier]
        self._facts.courier = await self._read_all(self.courier, {scenario.courier: kept})
        results, wire = lines_of(self._facts.courier), await self._wire()
        if scenario.other is not None:
            code = await self._refused(self.courier, scenario.other, "delegated", {TargetError.code})
            results.append(
                f"{scenario.other}, asked for with what it was given for {scenario.courier}: refused"
            )
            wire += await self._wire() or [f"courier -> node: {scenario.other} refused with {code}"]
        title = f"The shop passes {scenario.courier} on to its courier, and only that"
        return self._step(title, results, wire)

    async def _look_at_ledger(self) -> Step:
        entries = (await self._person.types("ledger", self._grant[:SHORT]))["entries"]
        self._facts.entries = entries
        kinds = [entry["entry"]["kind"] for entry in entries]
        reads = sum(map(len, (self._scenario.given, self._scenario.kept, {self._scenario.courier})))
        expect(
            kinds.count("admitted") == reads, f"{reads} reads, but {kinds.count('admitted')} in the ledger"
        )
        return self._step(
            "You look at who read what, and to whom it was passed on",
            [*map(self._telling().in_the_ledger, entries), await self._passed_on()],
        )

    async def _passed_on(self) -> str:
        links = (await self._person.types("grants", "show", self._grant[:SHORT]))["links"]
        expect(len(links) == 1, f"{len(links)} links to partners are shown, and one was used")
        link = links[0]
        expect(link["controller"] == self.courier.did, "another than the courier is shown as the partner")
        return f"passed on: {link['permission']}, to the courier, until {link['expires']}"

    async def _end(self) -> Step:
        done = await self._person.types("end", self._grant[:SHORT], "--yes")
        expect(done["state"] == "ended", f"the grant is {done['state']}")
        name = self._scenario.courier
        codes = [
            await self._refused(who, name, "ended", {EndedError.code}) for who in (self.shop, self.courier)
        ]
        return self._step(
            "You end the relationship",
            [f"the shop: refused ({codes[0]})", f"the courier: refused ({codes[1]})"],
            await self._wire(),
        )

    async def _verify(self) -> Step:
        found = await self._person.types("verify")
        expect(found["intact"], "the node says that something is damaged")
        ledger = self._stage.folder / "ledger.json"
        written = await self._person.types("ledger", self._grant[:SHORT], "--export", ledger)
        code, said = await self._person.types_offline("verify", ledger)
        expect(code == 0, f"the exported ledger does not verify: {said}")
        return self._step(
            "You verify all of it, then an export without your node",
            [
                f"your node: {found['records']['checked']} records and {len(found['grants'])} grant intact",
                *said,
            ],
            [
                f"none: another process checks the file with its {written['entries']} entries, and has nothing else"
            ],
        )

    async def _alter(self) -> Step:
        folder = self._stage.folder
        bundle = json.loads((folder / "ledger.json").read_bytes())
        number, before, after = _altered(bundle)
        (folder / "altered.json").write_text(json.dumps(bundle), "utf-8")
        code, said = await self._person.types_offline("verify", folder / "altered.json")
        named = [int(found) for line in said for found in re.findall(r"entry (\d+)", line)]
        self._facts.altered, self._facts.damaged = number, named
        expect(code == 1 and named == [number], f"entry {number} was altered, but verify says: {said}")
        return self._step(
            "Somebody alters one entry in a copy",
            [f"entry {number} now says {after}, not {before}", *said, f"exit code {code}"],
        )

    # What steps share

    async def _read_all(self, who: Actor, permissions: Mapping[str, Fields]) -> dict[str, Values]:
        """Read each permission, and expect exactly its fields, with the person's values."""
        seen: dict[str, Values] = {}
        for name, fields in permissions.items():
            answer = await who.get(f"/read/{name}")
            _no_error(answer, f"the {who.name} could not read {name}")
            expect(len(answer["records"]) == 1, f"{len(answer['records'])} records came, not one")
            seen[name] = values_of(answer["records"][0])
            expect(
                seen[name] == chosen(self._content, fields),
                f"the {who.name} read {', '.join(seen[name]) or 'nothing'} under {name}, or other values",
            )
        return seen

    async def _refused(self, who: Actor, permission: str, when: str, codes: set[str]) -> str:
        """Expect a refusal with one of the codes; return its code."""
        answer = await who.get(f"/read/{permission}")
        error = answer.get("error")
        expect(error is not None, f"the {who.name} could read {permission} after it was {when}")
        code = str(error["code"])
        expect(code in codes, f"the {who.name} was refused with {code!r}")
        self._facts.refused[f"{who.name} {permission} {when}"] = code
        return code

    async def _wire(self) -> list[str]:
        """Return what the ledger says came over the network since this was asked last."""
        entries = (await self._person.looks("ledger", self._grant))["entries"]
        new, self._told_entries = entries[self._told_entries :], len(entries)
        return [line for entry in new if (line := self._telling().over_the_wire(entry))]

    def _telling(self) -> Telling:
        return Telling(grant=self._grant, names={self.shop.did: "shop", self.courier.did: "courier"})


def _no_error(answer: Document, otherwise: str) -> None:
    error = answer.get("error")
    expect(error is None, f"{otherwise}: {error and error.get('detail')} ({error and error.get('code')})")


def _with_defaults(permission: Document) -> Document:
    """Return a permission as the node shows it."""
    return Permission.from_dict(permission).to_dict()


def _same(found: dict[str, list[str]], wanted: Mapping[str, Fields]) -> bool:
    return {name: set(fields) for name, fields in found.items()} == {
        name: set(fields) for name, fields in wanted.items()
    }


def _count(permissions: Mapping[str, Fields]) -> int:
    return sum(map(len, permissions.values()))


def _altered(bundle: Document) -> tuple[int, str, str]:
    """Make the first read look smaller than it was; return its number, and the fields before and after."""
    entry = next(item["entry"] for item in bundle["entries"] if item["entry"]["kind"] == "admitted")
    before = list(entry["fields"])
    entry["fields"] = before[:-1] or ["nothing"]
    return entry["number"], ", ".join(before), ", ".join(entry["fields"])
