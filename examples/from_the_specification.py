"""A vendor asks a person's node for a name and a postal code, reads them, and proves what it read.

Made from the pages of the specification alone; PRF-7 and the like name the requirement that a line follows. To be
short, it takes less than a vendor may: no later versions of a grant, no `did:web`, no moved or restored node.
A vendor that is to be used keeps its key, the receipt and the latest checkpoint, and asks that each continues the last.
"""

from __future__ import annotations

import base64
import gzip
import json
import sys
import time
import uuid
from hashlib import sha256
from http.client import HTTPConnection, HTTPSConnection
from typing import Any
from urllib.parse import quote

from nacl.signing import SigningKey, VerifyKey
from rfc8785 import dumps as jcs  # PRF-1

Json = dict[str, Any]
CONTEXT = "https://w3id.org/freehold/v1"
ITEM = {"type": "Person", "about": "self", "fields": ["name", "address.postalCode"]}
ASKED = {"name": "delivery", "items": [ITEM], "purpose": ["dpv:DeliveryOfGoods"], "retention": "P30D"}
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def demand(holds: object, sentence: str) -> None:
    if not holds:
        raise ValueError(sentence)


def base58(data: bytes) -> str:  # ENC-1
    digits = [BASE58[int.from_bytes(data) // 58**place % 58] for place in reversed(range(2 * len(data)))]
    return "z" + "1" * (len(data) - len(data.lstrip(b"\0"))) + "".join(digits).lstrip("1")


def from_base58(text: str, size: int) -> bytes:
    number: int = sum(BASE58.index(digit) * 58**place for place, digit in enumerate(text[:0:-1]))
    return number.to_bytes(size)


def base64url(data: bytes) -> str:  # ENC-2
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def digest(*parts: bytes) -> str:
    return base64url(sha256(b"".join(parts)).digest())


def cid(document: Json) -> str:  # ENC-4, PRF-4
    hashed = bytes.fromhex("0180041220") + sha256(jcs(document)).digest()
    return "b" + base64.b32encode(hashed).decode().rstrip("=").lower()


def timestamp(days: int = 0) -> str:  # ENC-8; in this form, texts compare as times do
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + days * 86400))


def without(document: Json, *names: str) -> Json:
    return {name: value for name, value in document.items() if name not in names}


def to_sign(document: Json) -> bytes:  # PRF-7
    parts = without(document["proof"], "proofValue"), without(document, "proof")
    return b"".join(sha256(jcs(part)).digest() for part in parts)


def key_of(did: str) -> VerifyKey:  # IDN-1, IDN-2
    return VerifyKey(from_base58(did[8:], 34)[2:])


def proof_by(did: str, **more: Any) -> Json:  # PRF-5, PRF-9, PRF-13
    suite = {"type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022", "@context": CONTEXT}
    return suite | {"verificationMethod": f"{did}#{did[8:]}", "proofPurpose": "assertionMethod"} | more


def verify(document: Json, proof: Json, key: VerifyKey) -> None:  # PRF-6, PRF-8, PRF-12, PRF-15
    demand(without(document["proof"], "proofValue") == proof, "A proof is of another key or form.")
    demand(document["@context"] == proof["@context"], "A document has another context than its proof.")
    key.verify(to_sign(document), from_base58(document["proof"]["proofValue"], 64))


def root_above(leaf: bytes, index: int, size: int, proof: list[bytes]) -> bytes:  # LED-16: RFC 9162, 2.1.3.2
    found, last = leaf, size - 1
    for each in proof:
        demand(last, "The proof of the entry is too long.")
        left = index & 1 or index == last
        found = sha256(b"\1" + (each + found if left else found + each)).digest()
        while left and index and not index & 1:
            index, last = index >> 1, last >> 1
        index, last = index >> 1, last >> 1
    demand(not last, "The proof of the entry is too short.")
    return found


def paths(value: Any, *at: str) -> set[str]:
    if isinstance(value, list):
        return {path for each in value for path in paths(each, *at)}
    if isinstance(value, dict):
        return {path for name in value if name != "type" for path in paths(value[name], *at, name)}
    return {".".join(at)}


class Vendor:
    key = SigningKey.generate()
    did = "did:key:" + base58(b"\xed\x01" + bytes(key.verify_key))

    def send(self, url: str, headers: Json, body: bytes | None = None) -> tuple[Json, Json]:
        scheme, _, host, path = url.split("/", 3)  # follows, keeps and inflates nothing: CLT-2 to CLT-4
        connection = (HTTPSConnection if scheme == "https:" else HTTPConnection)(host, timeout=60)
        connection.request("POST" if body else "GET", f"/{path}", body, headers)
        answer = connection.getresponse()
        code = answer.headers["Freehold-Code"]  # HTTP-7
        demand(answer.status == (202 if body else 200), f"The node refused: {answer.status} {code}.")  # CLT-6
        return json.loads(answer.read(4 * 2**20)), dict(answer.headers)  # CLT-4

    def get(self, url: str, headers: Json, tag: str = "freehold-did") -> tuple[Json, Json]:
        covered = {"@method": "GET", "@target-uri": url} | (headers if tag == "zcap" else {})  # INV-1
        names, now = " ".join(f'"{name}"' for name in covered), int(time.time())
        said = f'({names});created={now};expires={now + 120};keyid="{self.did}#{self.did[8:]}";alg="ed25519"'
        said += f';nonce="{uuid.uuid4().hex}";tag="{tag}"'  # INV-4, INV-6, INV-8
        lines = [f'"{name}": {value}' for name, value in (covered | {"@signature-params": said}).items()]
        self.signature = self.key.sign("\n".join(lines).encode()).signature  # SIG-15
        text = f"sig=:{base64.b64encode(self.signature).decode()}:"
        return self.send(url, headers | {"Signature-Input": f"sig={said}", "Signature": text})

    def ask(self, invitation: str) -> Json:
        request: Json = {"@context": CONTEXT, "type": "AccessRequest", "permission": [ASKED]}  # REQ-1
        request |= {"id": uuid.uuid4().urn, "nonce": uuid.uuid4().hex}
        request |= {"created": timestamp(), "expires": timestamp(90)}
        request["assignee"] = {"id": self.did, "type": "Organization", "name": "Example Shop"}
        request["proof"] = proof_by(self.did, created=request["created"])  # REQ-12
        request["proof"]["proofValue"] = base58(self.key.sign(to_sign(request)).signature)
        answer, _ = self.send(invitation, {"Content-Type": "application/json"}, jcs(request))  # HTTP-16
        number = f"{int.from_bytes(sha256(cid(request).encode()).digest()[:16]) % 10**8:08}"  # REQ-16
        print(f"Matching code: {number[:4]}-{number[4:]}")
        demand(answer["code"] == f"{number[:4]}-{number[4:]}", "The node shows another matching code.")
        self.origin, self.request, url = invitation.partition("/i/")[0], request, answer["request"]
        demand(url.startswith(f"{self.origin}/requests/"), "The request is elsewhere.")  # CLT-1
        while answer["status"] == "waiting":
            answer, _ = self.get(url, {"Prefer": "wait=30"})  # HTTP-20
        demand(answer["status"] == "approved", "The person refused.")
        return answer

    def check_receipt(self, receipt: Json) -> None:  # RCP-3, GRA-16: knows the first version only
        (self.grant,) = receipt["versions"]
        grant, (given,) = self.grant, self.grant["permission"]
        demand(receipt["request"] == self.request, "The receipt is of another request.")  # CLT-8
        verify(
            grant, proof_by(grant["assigner"], created=grant["created"]), key_of(grant["assigner"])
        )  # GRA-4
        first = [cid(self.request), 1, "live", self.did]
        same = [grant[name] for name in ("request", "version", "state", "assignee")] == first
        demand(same and self.origin in grant["origins"], "The grant is for something else.")
        within = without(given, "items", "limits", "required") == without(ASKED, "items")  # GRA-5, GRA-10
        for item in given["items"]:
            within &= {"about": "self"} | item | {"fields": ITEM["fields"]} == ITEM
            within &= set(item["fields"]) <= set(ITEM["fields"])
        demand(within and grant["expires"] <= self.request["expires"], "The grant is not within the request.")
        self.url = f"{self.origin}/g/{grant['id'].removeprefix('urn:uuid:')}"
        self.serving = key_of(grant["servingKey"])
        self.fields = {field for item in given["items"] for field in item["fields"]}

    def check_capability(self, capability: Json) -> None:  # HTTP-66, CAP-2, CAP-18
        chain = ["urn:zcap:root:" + quote(self.url, safe="-_.!~*'()")]  # CAP-1, CAP-16
        context = ["https://w3id.org/zcap/v1", "https://w3id.org/security/data-integrity/v2"]  # CAP-4
        more = {"proofPurpose": "capabilityDelegation", "capabilityChain": chain, "@context": context}
        more["created"] = capability["proof"]["created"]
        verify(capability, proof_by(self.grant["servingKey"], **more), self.serving)
        said = [capability[name] for name in ("controller", "invocationTarget", "allowedAction")]
        demand(said == [self.did, self.url, ["read"]], "The capability is for another key or grant.")
        demand(capability["expires"] <= self.grant["expires"], "The capability outlasts the grant.")  # CLT-9

    def read(self, capability: Json) -> tuple[Json, Json]:
        packed = base64url(gzip.compress(jcs(capability)))  # CAP-30
        invoked = {"capability-invocation": f'zcap capability="{packed}",action="read"'}  # INV-10
        page, told = self.get(f"{self.url}/delivery/records", invoked, "zcap")
        demand(sorted(page) == ["@context", "issuer", "items", "proof", "type"], "That is no page.")  # REL-11
        demand(page["type"] == "ReleasedPage" and len(page["items"]) <= 1, "It has other records.")  # CLT-10
        for document in [page, *page["items"]]:  # REL-13
            verify(document, proof_by(self.grant["servingKey"]), self.serving)
            demand(document["issuer"] == self.grant["servingKey"], "A document is issued by another key.")
        for document in page["items"]:
            version = digest(jcs(without(document, "version", "proof")))  # REL-7
            demand(document["version"] == version, "The version is not that of the content.")
            shown = without(document, "@context", "id", "issuer", "version", "proof")
            granted = paths(shown) <= self.fields and shown["type"] == "Person"  # CLT-10
            demand(granted, "The page shows what was not granted.")
            print(json.dumps(shown, ensure_ascii=False))
        chain = [digest(to_sign(capability), bytes(self.serving))]  # CAP-27
        sent: Json = {"number": int(told["Freehold-Entry"]), "who": self.did, "chain": chain}  # HTTP-31
        sent |= {"kind": "admitted", "action": "read", "method": "GET", "status": 200, "version": 1}
        sent |= {"route": "/g/{grant}/{permission}/records", "permission": "delivery"}  # LED-7
        sent["signature"] = digest(self.signature)
        return page, sent

    def open_checkpoint(self, note: str) -> tuple[int, bytes]:  # LED-13, LED-15
        text, _, lines = note.partition("\n\n")
        log, size, root = text.split("\n")
        blobs = [base64.b64decode(line.split(" ")[2]) for line in lines.splitlines() if f" {log} " in line]
        key_id = sha256(f"{log}\n\1".encode() + bytes(self.serving)).digest()[:4]
        ours = [self.serving.verify(f"{text}\n".encode(), blob[4:]) for blob in blobs if blob[:4] == key_id]
        demand(ours and log == self.grant["log"], "A checkpoint is of another ledger or by another key.")
        return int(size), base64.b64decode(root)

    def check_entry(self, page: Json, sent: Json) -> None:  # LED-1, LED-2, REL-16
        item, _ = self.get(f"{self.url}/ledger/entries/{sent['number']}", {})
        salt, *proof = (base64.urlsafe_b64decode(f"{text}=") for text in [item["salt"], *item["proof"]])
        sent |= {"released": digest(salt, jcs(without(page, "proof"))), "count": len(page["items"])}  # LED-6
        demand(without(item["entry"], "time", "fields") == sent, "The entry is of another read.")  # LED-4
        demand(set(item["entry"]["fields"]) <= self.fields, "The entry has fields that were not granted.")
        leaf = sha256(b"\0" + salt + jcs(item["entry"])).digest()
        size, root = self.open_checkpoint(item["checkpoint"])
        inside = sent["number"] < size and root_above(leaf, sent["number"], size, proof) == root
        demand(inside, "The entry is not in the ledger.")
        print(f"Entry {sent['number']} is in the ledger of {size} entries.")


if __name__ == "__main__":
    try:
        vendor = Vendor()
        approval = vendor.ask(sys.argv[1])
        vendor.check_receipt(approval["receipt"])
        vendor.check_capability(approval["capability"])
        vendor.check_entry(*vendor.read(approval["capability"]))
    except Exception as error:  # noqa: BLE001
        sys.exit(f"{type(error).__name__}: {error}")
