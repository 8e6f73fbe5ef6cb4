"""Files of every format through the owner's API into the store, and out of it to a vendor who was granted some."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import pytest
from freehold_node import records as records_module
from freehold_protocol.encoding import Document, base64url_encode
from freehold_protocol.errors import StorageFullError
from harness import ADA, House, permission

ORDERS = b"No;Date;Item;Total\n17;03.05.2026;Kettle;39,90\n18;04.05.2026;Lamp;5,00\n"
MAPPING = """
source = "orders of shop.example"
[formats]
date = "DD.MM.YYYY"
decimal = ","
[[record]]
type = "Order"
key = ["No"]
[record.columns]
"No" = "orderNumber"
"Date" = { to = "orderDate", as = "date" }
"Item" = "orderedItem.name"
"Total" = { to = "acceptedOffer.price", as = "decimal" }
"""
CALENDAR = (
    b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nDTSTART;TZID=Europe/Berlin:20261124T093000\nSUMMARY:Dentist\n"
    b"LOCATION:1 Dental Row\nORGANIZER;CN=Doctor:mailto:doctor@example.org\nEND:VEVENT\nEND:VCALENDAR\n"
)
BANK = (
    b"OFXHEADER:100\n\n<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>EUR<BANKACCTFROM><BANKID>1<ACCTID>DE02"
    b"</BANKACCTFROM><BANKTRANLIST><STMTTRN><DTPOSTED>20261102<TRNAMT>-2.50<FITID>a1<NAME>Cafe</STMTTRN>"
    b"</BANKTRANLIST></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>"
)
FEED = (
    b'{"@context": "https://schema.org", "@type": "DataFeed", "name": "export", "dataFeedElement": ['
    b'{"@type": "DataFeedItem", "item": {"@type": "Product", "name": "Lamp"}},'
    b'[{"@type": "Product", "name": "Cup"}], {"@type": "Product", "name": "Odd", "planet": "Mars"}]}'
)
FILES: dict[str, tuple[bytes, str | None, list[str], int]] = {
    "CSV": (ORDERS, MAPPING, ["Order", "Order"], 0),
    "iCalendar": (CALENDAR, None, ["Event"], 0),
    "OFX": (BANK, None, ["BankAccount", "MoneyTransfer"], 0),
    "JSON-LD": (FEED, None, ["Product", "Product"], 2),
    "vCard": (ADA, None, ["Person"], 0),
}


def sent(data: bytes, mapping: str | None = None, **more: Any) -> Document:
    body: Document = {"name": "a file", "data": base64url_encode(data), **more}
    return body if mapping is None else {**body, "mapping": mapping}


async def listed(house: House) -> list[Document]:
    found: list[Document] = (await house.own("GET", "/records?limit=1000"))["records"]
    return found


@pytest.mark.asyncio
@pytest.mark.parametrize("format_name", FILES)
async def test_a_file_is_previewed_imported_and_known_again(house: House, format_name: str) -> None:
    data, mapping, types, left_out = FILES[format_name]
    body = sent(data, mapping)
    preview = await house.own("POST", "/import/preview", body)
    assert preview["format"] == format_name
    assert [one["type"] for one in preview["found"]] == types
    assert {one["state"] for one in preview["found"]} == {"new"}
    assert len(preview["skipped"]) == left_out
    assert await listed(house) == []
    done = await house.own("POST", "/import", body)
    assert (done["added"], done["changed"], done["same"]) == (len(types), 0, 0)
    assert done["skipped"] == preview["skipped"]
    kept = await listed(house)
    assert [one["type"] for one in kept] == types
    assert {one["source"]["format"] for one in kept} == {format_name}
    for one, shown in zip(kept, preview["found"], strict=True):
        record = await house.own("GET", "/records/" + one["id"].removeprefix("urn:uuid:"))
        assert record["content"] == shown["content"]
    again = await house.own("POST", "/import", body)
    assert (again["added"], again["changed"], again["same"]) == (0, 0, len(types))
    assert {one["state"] for one in (await house.own("POST", "/import/preview", body))["found"]} == {"same"}
    assert (await house.own("POST", "/verify", {}))["records"] == {"checked": len(types), "damaged": []}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("format_name", "before", "after"),
    [("CSV", b"39,90", b"41,00"), ("iCalendar", b"T093000", b"T100000"), ("OFX", b"Cafe", b"Cafe Nova")],
)
async def test_what_changed_is_a_new_version(
    house: House, format_name: str, before: bytes, after: bytes
) -> None:
    data, mapping, types, _ = FILES[format_name]
    await house.own("POST", "/import", sent(data, mapping))
    done = await house.own("POST", "/import", sent(data.replace(before, after), mapping))
    assert (done["added"], done["changed"], done["same"]) == (0, 1, len(types) - 1)
    histories = [
        (await house.own("GET", "/records/" + one["id"].removeprefix("urn:uuid:")))["history"]
        for one in await listed(house)
    ]
    assert sorted(map(len, histories)) == [0] * (len(types) - 1) + [1]


@pytest.mark.asyncio
async def test_a_vendor_reads_an_event_and_no_more_of_it_than_was_granted(house: House) -> None:
    await house.import_file(ADA, me="Ada Example")
    await house.own("POST", "/import", sent(CALENDAR))
    held = await house.relate([
        permission("calendar", ["name", "startDate", "location.name"], about="any", type_="Event"),
        permission("own", ["name"], type_="Event"),
    ])  # fmt: skip
    assert await held.contents("calendar") == [{
        "type": "Event", "name": "Dentist", "startDate": "2026-11-24T09:30:00+01:00",
        "location": {"type": "Place", "name": "1 Dental Row"},
    }]  # fmt: skip
    assert await held.contents("own") == []  # no event is the person
    reply = await held.get("/calendar/records")
    for secret in (b"doctor@example.org", b"a file", b"SourceFile", b"urn:uuid:"):
        assert secret not in reply.body


@pytest.mark.asyncio
async def test_a_vendor_reads_orders_and_transactions_under_a_condition(house: House) -> None:
    held = await house.relate([
        permission("orders", ["orderNumber", "acceptedOffer.price"], about="any", type_="Order", newRecords=True,
                   where={"orderedItem.name": "Kettle"}),
        permission("money", ["amount.value", "amount.currency", "endTime"], about="any", type_="MoneyTransfer",
                   newRecords=True, where={"object.identifier": "DE02"}),
    ])  # fmt: skip
    assert await held.contents("orders") == []
    await house.own("POST", "/import", sent(ORDERS, MAPPING))
    await house.own("POST", "/import", sent(BANK))
    await house.own("POST", "/import", sent(BANK.replace(b"DE02", b"DE03").replace(b"-2.50", b"-9.99")))
    assert await held.contents("orders") == [
        {"type": "Order", "orderNumber": "17", "acceptedOffer": {"type": "Offer", "price": "39.90"}}
    ]
    assert await held.contents("money") == [
        {
            "type": "MoneyTransfer",
            "endTime": "2026-11-02",
            "amount": {"type": "MonetaryAmount", "value": "-2.50", "currency": "EUR"},
        }
    ]


@pytest.mark.asyncio
async def test_a_mapping_is_suggested_and_nothing_is_kept(house: House) -> None:
    made = await house.own("POST", "/import/mapping", sent(ORDERS))
    assert '[[record]]\ntype = "Order"' in made["mapping"]
    assert "Kettle" not in made["mapping"]
    assert await listed(house) == []


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/import/preview", sent(ORDERS), "malformed"),
        ("/import", sent(ORDERS), "malformed"),
        ("/import", sent(ORDERS, "source = 1"), "malformed"),
        ("/import", sent(ORDERS, MAPPING.replace('"Date"', '"Datum"')), "malformed"),
        ("/import", sent(ORDERS) | {"mapping": 1}, "malformed"),
        ("/import", sent(ORDERS, "#" * 70_000), "malformed"),
        ("/import", sent(CALENDAR, MAPPING), "malformed"),
        ("/import", sent(ORDERS, MAPPING, odd=1), "malformed"),
        ("/import", sent(ORDERS, MAPPING, me="Ada"), "not-found"),
        ("/import", sent(b"<!DOCTYPE OFX><OFX>"), "malformed"),
        ("/import/mapping", sent(CALENDAR), "malformed"),
        ("/import/mapping", sent(ORDERS, MAPPING), "malformed"),
        ("/import/mapping", {"name": "x"}, "malformed"),
        ("/import", sent(b"BEGIN:VCALENDAR\n" + b"BEGIN:VEVENT\n" * 20_001), "too-large"),
    ],
)
async def test_what_cannot_be_imported_is_refused_and_nothing_is_kept(
    house: House, path: str, body: Document, code: str
) -> None:
    reply = await house.owner("POST", path, body)
    assert (reply.status >= 400, reply.code) == (True, code)
    assert b"Kettle" not in reply.body
    assert await listed(house) == []


SCHEMA = "https://schema.org"


def _crowded(begin: str, end: str) -> bytes:
    """Return a file with one entry of more values than a record has members, and one that is sound."""
    lines = ["CATEGORIES:" + ",".join(f"{line:x}{n:x}" for n in range(8_000)) for line in range(16, 19)]
    entry = "{}\n{}\n{}\n{}\n"
    name = "FN" if "VCARD" in begin else "SUMMARY"
    return (
        entry.format(begin, f"{name}:crowded", "\n".join(lines), end)
        + entry.format(begin, f"{name}:sound", "CATEGORIES:x", end)
    ).encode()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "data",
    [
        _crowded("BEGIN:VCARD", "END:VCARD"),
        _crowded("BEGIN:VEVENT", "END:VEVENT"),
        json.dumps([
            {"@context": SCHEMA, "@type": "Person", "name": "x", "keywords": [str(n) for n in range(20_000)]},
            {"@context": SCHEMA, "@type": "Person", "name": "sound"},
        ]).encode(),
    ],
    ids=["vCard", "iCalendar", "JSON-LD"],
)  # fmt: skip
async def test_what_no_record_can_hold_costs_only_itself(house: House, data: bytes) -> None:
    done = await house.own("POST", "/import", sent(data))
    assert done["added"] == 1
    assert [one["label"] for one in await listed(house)] == ["sound"]
    assert any(one["reason"] == "more text than one record holds" for one in done["skipped"])


# In parts

CARDS = b"".join(
    b"BEGIN:VCARD\nVERSION:4.0\nUID:%d\nFN:Person %d\nEMAIL:p%d@example.com\nEND:VCARD\n" % (n, n, n)
    for n in range(10)
)


@pytest.mark.asyncio
async def test_an_import_is_written_in_parts_and_readers_come_between(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records_module, "_PART", 3)
    await house.import_file(ADA, me="Ada Example")
    versions: list[int] = []
    put_record = records_module.Records._write_part

    async def noted(self: Any, *arguments: Any, **more: Any) -> Any:
        done = await put_record(self, *arguments, **more)
        versions.append((await house.own("GET", "/status"))["records"])
        return done

    monkeypatch.setattr(records_module.Records, "_write_part", noted)
    done = await house.import_file(CARDS, me="p7@example.com", switch=True)
    assert done["added"] == 10
    assert versions == [4, 7, 10, 11]
    assert done["self"]["label"] == "Person 7"


@pytest.mark.asyncio
async def test_an_import_that_is_broken_off_goes_on_with_the_same_file(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records_module, "_PART", 3)
    write_part, parts = records_module.Records._write_part, 0

    async def failing(self: Any, *arguments: Any, **more: Any) -> Any:
        nonlocal parts
        parts += 1
        if parts == 3:
            raise StorageFullError("there is no room to write")
        return await write_part(self, *arguments, **more)

    monkeypatch.setattr(records_module.Records, "_write_part", failing)
    reply = await house.owner("POST", "/import", sent(CARDS))
    assert reply.code == "storage-full"
    assert len(await listed(house)) == 6
    done = await house.own("POST", "/import", sent(CARDS))
    assert (done["added"], done["same"]) == (4, 6)


@pytest.mark.asyncio
async def test_a_record_that_is_edited_while_its_import_is_prepared_is_decided_anew(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.import_file(CARDS)
    first = (await listed(house))[0]["id"].removeprefix("urn:uuid:")
    records, write = house.node.records, house.node.records._write_and_tell
    edited = False

    async def late(work: Any) -> Any:
        nonlocal edited
        if not edited and work.__qualname__.startswith("Records._write_part"):
            edited = True
            seen = await house.own("GET", f"/records/{first}")
            changed = {"content": {**seen["content"], "name": "Edited"}, "previous": seen["cid"]}
            await house.own("PUT", f"/records/{first}", changed)
        return await write(work)

    monkeypatch.setattr(records, "_write_and_tell", late)
    done = await house.import_file(CARDS.replace(b"FN:Person", b"FN:Somebody"))
    assert done["changed"] == 10
    shown = await house.own("GET", f"/records/{first}")
    assert shown["content"]["name"] == "Somebody 0"
    assert [one["name"] for one in shown["history"]] == ["Edited", "Person 0"]
    assert (await house.own("POST", "/verify", {}))["records"]["damaged"] == []


@pytest.mark.asyncio
async def test_one_file_imported_twice_at_once_is_imported_once(house: House) -> None:
    both = await asyncio.gather(*(house.own("POST", "/import", sent(CARDS)) for _ in range(2)))
    assert len(await listed(house)) == 10
    assert sum(done["added"] for done in both) == 10
    assert sum(done["same"] for done in both) == 10


@pytest.mark.asyncio
async def test_nothing_is_signed_in_the_writer(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    signed_in: set[threading.Thread] = set()
    sign = records_module.sign_record  # type: ignore[attr-defined]

    def noted(*arguments: Any, **more: Any) -> Any:
        signed_in.add(threading.current_thread())
        return sign(*arguments, **more)

    monkeypatch.setattr(records_module, "sign_record", noted)
    await house.import_file(CARDS)
    assert signed_in
    assert signed_in.isdisjoint({house.node.store._thread, threading.main_thread()})
