"""A real node that a contract is tried on: it runs in a thread of its own, and what is sent to it is truly signed.

``Scene`` knows for each operation one request that has to succeed, made anew each time, since an approval or a
deletion can be had once only.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import requests
from carrying import carried, take_in
from fido2.cose import EdDSA
from fido2.webauthn import Aaguid, AttestedCredentialData
from freehold_node.store.rows import PasskeyRow
from freehold_protocol import limits
from freehold_protocol.encoding import Document, base64url_encode
from freehold_protocol.invocation import TAG_DID, TAG_OWNER, sign_invocation, sign_message
from freehold_protocol.permission import Permission
from freehold_protocol.request import sign_request
from harness import PASSPHRASE, Held, House, Reply, open_house
from requests.auth import AuthBase
from shop import COURIER, MARKETING, NAME_ONLY, contacts, delivery, shop

T = TypeVar("T")
PROOF = {"passphrase": PASSPHRASE}
NOBODY = "00000000-0000-4000-8000-000000000000"


@dataclass(slots=True)
class Good:
    """A request that has to succeed; ``who`` signs it: ``""``, ``did``, ``zcap`` or ``owner``.

    ``form`` says that the body is sent as a browser's form.
    """

    who: str
    path: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: Document | None = None
    held: Held | None = None
    form: bool = False

    @property
    def escaped(self) -> dict[str, str]:
        """The parts of the path as they are written in it."""
        return {name: quote(value, safe="") for name, value in self.path.items()}


class Running:
    """An open house on an event loop in a thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.house: House

    @contextmanager
    def open(self) -> Iterator[Running]:
        self._thread.start()
        opened, ended = threading.Event(), asyncio.Event()

        async def live() -> None:
            async with open_house(self._folder) as self.house:
                opened.set()
                await ended.wait()

        living = asyncio.run_coroutine_threadsafe(live(), self._loop)
        try:
            if not opened.wait(30):
                living.result(1)
            yield self
        finally:
            self._loop.call_soon_threadsafe(ended.set)
            living.result(30)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def run(self, doing: Coroutine[Any, Any, T]) -> T:
        """Do something on the loop of the node, and wait for it."""
        return asyncio.run_coroutine_threadsafe(doing, self._loop).result(60)


class Signing(AuthBase):
    """Signs a request exactly as it is about to be sent."""

    def __init__(self, house: House, good: Good) -> None:
        self._house, self._good = house, good

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        house, good = self._house, self._good
        assert request.method is not None
        body = request.body.encode() if isinstance(request.body, str) else request.body
        given: dict[str, Any] = {
            "method": request.method,
            "target_uri": house.base + request.path_url,
            "created_s": house.now_s(),
            "nonce": house.nonce(),
        }
        if body:
            given |= {"body": body, "content_type": request.headers["Content-Type"]}
        for name in (
            "Authorization",
            "Capability-Invocation",
            "Signature",
            "Signature-Input",
        ):  # made up, where there are any
            request.headers.pop(name, None)
        if len(given["target_uri"]) > limits.MAX_QUERY_CHARS:
            return request  # no client signs this
        if good.who == "zcap":
            assert good.held is not None
            made = sign_invocation(good.held.key, good.held.capability, action="read", **given)
        else:
            key = (
                house.node.session_key
                if good.who == "owner"
                else (good.held.key if good.held else house.key())
            )
            made = sign_message(key, tag=TAG_OWNER if good.who == "owner" else TAG_DID, **given)
        request.headers.update(made)
        return request


class Scene:
    """A person with records, a vendor with a grant, and what each operation needs to succeed."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.held: Held
        self.record = NOBODY

    async def ready(self) -> None:
        """Have a grant that is live and records, whatever the requests before this one have done."""
        house = self.house
        status = await house.own("GET", "/status")
        if status["self"] is None or not status["self"]["label"]:
            self.held = await shop(house)
            await house.import_file(contacts(1, 5))
        elif not await self._is_live():
            self.held = await house.relate([delivery(), MARKETING])
        await self.held.get("/delivery/records")
        self.record = (await house.own("GET", "/status"))["self"]["id"].removeprefix("urn:uuid:")

    async def _is_live(self) -> bool:
        return (await self.held.get("/delivery/records")).status == 200

    async def good(self, operation: str) -> Good:
        """Return a request for this operation that has to succeed."""
        made: Awaitable[Good] = getattr(self, "_" + operation.lower())()
        return await made

    def _under(self, who: str = "zcap", **path: str) -> Good:
        return Good(who, {"grant": self.held.grant, **path}, held=self.held)

    def _own(self, body: Document | None = None, **path: str) -> Good:
        return Good("owner", path, body=body)

    # Open, asking

    async def _discover(self) -> Good:
        return Good("")

    async def _health(self) -> Good:
        return Good("")

    async def _ask(self) -> Good:
        house = self.house
        url = (await house.own("POST", "/invitations", {"label": "Test"}))["url"]
        asked = sign_request(
            house.key(), request_id="urn:uuid:" + house.uuid(), nonce=base64url_encode(house.rng.randbytes(32)),
            name="Test Shop", permissions=(Permission.from_dict(MARKETING),), created_s=house.now_s(),
            expires_s=house.now_s() + 86_400,
        )  # fmt: skip
        return Good("", {"invitation": url.rpartition("/")[2]}, body=asked.document)

    async def _connect(self) -> Good:
        asked = carried(self.house, self.house.key(), [MARKETING])
        return Good("", body={"request": json.dumps(asked.document)}, form=True)

    async def _takeinrequest(self) -> Good:
        return self._own({"request": carried(self.house, self.house.key(), [MARKETING]).document})

    async def _sendback(self) -> Good:
        taken = await take_in(self.house, carried(self.house, self.house.key(), [MARKETING]))
        await self.house.own("POST", f"/requests/{taken['id']}/refuse", {})
        return self._own({}, request=taken["id"])

    async def _followrequest(self) -> Good:
        requests_ = (await self.house.own("GET", "/requests?status=approved"))["requests"]
        asked = next(one for one in requests_ if one["grant"] == self.held.grant)
        return Good("did", {"request": asked["id"]}, headers={"Prefer": "wait=1"}, held=self.held)

    # Reading, holding

    async def _readrecords(self) -> Good:
        good = self._under(permission="delivery")
        good.query = {"fields": "name", "limit": "1"}
        return good

    _checkrecords = _readrecords

    async def _readrecord(self) -> Good:
        page = (await self.held.get("/delivery/records")).json
        return self._under(permission="delivery", alias=page["items"][0]["id"].removeprefix("urn:freehold:"))

    _checkrecord = _readrecord

    async def _listentogrant(self) -> Good:
        return self._under()

    async def _listentopermission(self) -> Good:
        return self._under(permission="delivery")

    async def _showgrant(self) -> Good:
        return self._under("did")

    async def _showpermission(self) -> Good:
        return self._under(permission="delivery")

    async def _renew(self) -> Good:
        return self._under("did")

    async def _revokecapability(self) -> Good:
        link = self.held.delegate(COURIER, path="/delivery").capability
        good = self._under("did", capability=link.id)
        good.body = link.document
        return good

    async def _listentriesofgrant(self) -> Good:
        return self._under("did")

    async def _showentryofgrant(self) -> Good:
        return self._under(number="0")

    async def _showcheckpointofgrant(self) -> Good:
        good = self._under("did")
        good.query = {"from": "1"}
        return good

    async def _listentriesofpermission(self) -> Good:
        return self._under(permission="delivery")

    async def _showentryofpermission(self) -> Good:
        return self._under(permission="delivery", number="0")

    async def _showcheckpointofpermission(self) -> Good:
        return self._under(permission="delivery")

    # Records

    async def _previewimport(self) -> Good:
        return self._own({"name": "more.vcf", "data": base64url_encode(contacts(1, 3))})

    async def _suggestmapping(self) -> Good:
        return self._own(
            {"name": "table.csv", "data": base64url_encode(b"name,email\nAda,ada@example.com\n")}
        )

    async def _importfile(self) -> Good:
        return await self._previewimport()

    async def _listrecords(self) -> Good:
        return self._own()

    async def _listrecordtypes(self) -> Good:
        return self._own()

    async def _addrecord(self) -> Good:
        return self._own({"content": {"type": "Person", "name": "Bob Example"}})

    async def _showrecord(self) -> Good:
        return self._own(record=self.record)

    async def _editrecord(self) -> Good:
        shown = await self.house.own("GET", f"/records/{self.record}")
        return self._own({"content": shown["content"], "previous": shown["cid"]}, record=self.record)

    async def _deleterecord(self) -> Good:
        made = await self.house.own("POST", "/records", {"content": {"type": "Person", "name": "Eve"}})
        return self._own(record=made["id"].removeprefix("urn:uuid:"))

    async def _chooseself(self) -> Good:
        return self._own({"record": "urn:uuid:" + self.record})

    # Over all of it

    async def _showtoday(self) -> Good:
        return self._own()

    async def _listactivity(self) -> Good:
        good = self._own()
        good.query = {"vendor": "shop", "field": "name", "limit": "2"}
        return good

    async def _showtimeline(self) -> Good:
        return self._own()

    async def _showchoices(self) -> Good:
        return self._own()

    async def _showownentry(self) -> Good:
        return self._own(grant=self.held.grant, number="0")

    async def _showreaders(self) -> Good:
        return self._own(grant=self.held.grant)

    async def _exportall(self) -> Good:
        return self._own(dict(PROOF))

    async def _showsample(self) -> Good:
        return self._own()

    async def _removesample(self) -> Good:
        held = await self.house.relate([MARKETING], name="Sample Shop")
        await self.house.node.samples.mark(vendors=[held.key.did])
        return self._own({})

    # Devices and keys

    async def _listdevices(self) -> Good:
        await self._session()
        return self._own()

    async def _session(self) -> str:
        devices = self.house.node.devices
        session = await devices.session(await devices.begin("Firefox", proved=False))
        assert session is not None
        return session.id

    async def _signout(self) -> Good:
        return self._own(session=await self._session())

    async def _signouteverywhere(self) -> Good:
        await self._session()
        return self._own({})

    async def _forgetpasskey(self) -> Good:
        made = AttestedCredentialData.create(
            Aaguid.NONE, b"x" * 16, EdDSA({1: 1, 3: -8, -1: 6, -2: b"k" * 32})
        )
        kept = {"host": "localhost", "counter": 0, "credential": base64url_encode(bytes(made))}
        row = PasskeyRow(
            id=self.house.uuid(), name="Key", credential=json.dumps(kept).encode(),
            created_us=self.house.now_s() * 10**6, used_us=None,
        )  # fmt: skip
        await self.house.node.store.write(lambda tx: tx.put_passkey(self.house.node.owner, row))
        return self._own(passkey=row.id)

    async def _changepassphrase(self) -> Good:
        return self._own({**PROOF, "new": PASSPHRASE})

    async def _printsheet(self) -> Good:
        return self._own(dict(PROOF))

    # Requests and grants

    async def _invite(self) -> Good:
        return self._own({"label": "A shop"})

    async def _listrequests(self) -> Good:
        return self._own()

    async def _asked(self) -> str:
        path, _ = await self.house.ask(self.house.key(), [MARKETING], name="Another Shop")
        return path.rpartition("/")[2]

    async def _showrequest(self) -> Good:
        return self._own(request=await self._asked())

    async def _draftapproval(self) -> Good:
        return self._own({"permissions": [MARKETING]}, request=await self._asked())

    async def _approve(self) -> Good:
        request = await self._asked()
        draft = await self.house.own("POST", f"/requests/{request}/draft", {"permissions": [MARKETING]})
        return self._own({"digest": draft["digest"], **PROOF}, request=request)

    async def _refuse(self) -> Good:
        return self._own({"reason": "Not now."}, request=await self._asked())

    async def _listgrants(self) -> Good:
        return self._own()

    async def _showowngrant(self) -> Good:
        partner = self.held.delegate(COURIER, path="/delivery")
        await partner.get("/delivery/records")
        return self._own(grant=self.held.grant)

    async def _draftchange(self) -> Good:
        return self._own({"change": "narrow", "permissions": [NAME_ONLY]}, grant=self.held.grant)

    async def _changegrant(self) -> Good:
        grant = (await self.house.relate([MARKETING])).grant
        draft = await self.house.own("POST", f"/grants/{grant}/draft", {"change": "pause"})
        return self._own({"digest": draft["digest"]}, grant=grant)

    async def _takeback(self) -> Good:
        return self._own({"partner": COURIER.did}, grant=(await self.house.relate([delivery()])).grant)

    async def _showkeys(self) -> Good:
        return self._own(grant=self.held.grant)

    async def _acceptkeys(self) -> Good:
        return self._own({"digest": "A" * 43, **PROOF}, grant=self.held.grant)

    async def _listownentries(self) -> Good:
        return self._own(grant=self.held.grant)

    async def _showbundle(self) -> Good:
        return self._own(grant=self.held.grant)

    async def _withdraw(self) -> Good:
        held = await self.house.relate([MARKETING])
        return self._own({"vendor": held.key.did})

    # The node

    async def _showstatus(self) -> Good:
        return self._own()

    async def _listorigins(self) -> Good:
        return self._own()

    async def _addorigin(self) -> Good:
        grant = (await self.house.relate([MARKETING])).grant
        return self._own({"origin": "https://new.example", "grants": [grant], **PROOF})

    async def _makebackup(self) -> Good:
        return self._own(dict(PROOF))

    async def _makelink(self) -> Good:
        return self._own({})

    async def _verifyall(self) -> Good:
        return self._own({})

    async def _confirmclock(self) -> Good:
        return self._own(dict(PROOF))


async def listen(scene: Scene, path: str) -> Reply:
    """Open a stream, take its first event, and leave."""
    house, held = scene.house, scene.held
    async with house.session.get(house.base + path, headers=held.headers("GET", path)) as stream:
        return Reply(stream.status, stream.headers, await stream.content.readuntil(b"\n\n"))
