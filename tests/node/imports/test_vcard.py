from __future__ import annotations

import base64
from typing import Any

import pytest
from freehold_node.imports import Found, Preview, read_file
from freehold_protocol.contexts import check_terms


def card(body: str | bytes, version: str = "3.0") -> bytes:
    body = body.replace("\n", "\r\n").encode() if isinstance(body, str) else body
    return b"BEGIN:VCARD\r\nVERSION:" + version.encode() + b"\r\n" + body + b"\r\nEND:VCARD\r\n"


def only(body: str | bytes, version: str = "3.0") -> Found:
    preview = read_file(card(body, version))
    assert preview.skipped == ()
    (found,) = preview.found
    check_terms(found.document)
    return found


def fields(body: str | bytes, version: str = "3.0") -> dict[str, Any]:
    """Return what a card says, none of it left out."""
    found = only(body, version)
    assert found.skipped == ()
    return {name: value for name, value in found.document.items() if name not in ("@context", "type")}


ODD: list[tuple[str, str, str | bytes, dict[str, Any]]] = [
    ("name built from its parts", "3.0", "N:Example;Ada;Marie,Anne;Dr.;PhD,MA",
     {"name": "Dr. Ada Marie Anne Example PhD MA", "familyName": "Example", "givenName": "Ada",
      "additionalName": "Marie Anne", "honorificPrefix": "Dr.", "honorificSuffix": "PhD MA"}),
    ("names in any case, in a group", "3.0", "fn:Ada\nItem1.eMail;Type=Home:a@b.example",
     {"name": "Ada", "email": "a@b.example"}),
    ("a second formatted name", "4.0", "FN;PREF=2:Ada\nFN;PREF=1:Adelaide\nFN:Adelaide",
     {"name": "Adelaide", "alternateName": "Ada"}),
    ("fold inside a character", "3.0", b"FN:Ad\xc3\n \xa9", {"name": "Adé"}),
    ("fold by a tab, lines ended by LF", "3.0", b"FN:Ada\n\t Example", {"name": "Ada Example"}),
    ("lines ended by CR", "3.0", b"FN:Ada\rNICKNAME:A\r", {"name": "Ada", "alternateName": "A"}),
    ("lines ended by CR CR LF", "3.0", b"FN:Ada\r\n  B\r\nTITLE:T", {"name": "Ada B", "jobTitle": "T"}),
    ("old fold keeps its blank", "2.1", "NOTE:one\n two", {"description": "one two"}),
    ("new fold adds its blank", "3.0", "NOTE:one\n two", {"description": "onetwo"}),
    ("escapes", "3.0", r"NOTE:a\, b\; c\\d\ne\Nf\:g\"h\q", {"description": 'a, b; c\\d\ne\nf:g"h\\q'}),
    ("old escapes", "2.1", r"NOTE:a\; b, C:\new", {"description": r"a; b, C:\new"}),
    ("escaped separators", "4.0", r"N:O\;Neil;A\,B,C;;;",
     {"name": "A,B C O;Neil", "familyName": "O;Neil", "givenName": "A,B C"}),
    ("commas in an old address", "2.1", "ADR:;;1 High St, Flat 2;X;;;",
     {"address": {"type": "PostalAddress", "streetAddress": "1 High St, Flat 2", "addressLocality": "X"}}),
    ("several streets", "4.0", "ADR;TYPE=dom,work:1;2;3,4,;5;6;7;8",
     {"address": {"type": "PostalAddress", "postOfficeBoxNumber": "1", "extendedAddress": "2",
                  "streetAddress": "3, 4", "addressLocality": "5", "addressRegion": "6", "postalCode": "7",
                  "addressCountry": "8", "contactType": "work"}}),
    ("short address", "3.0", "ADR:;;S", {"address": {"type": "PostalAddress", "streetAddress": "S"}}),
    ("label of an address", "3.0", "a.ADR:;;S\nA.X-ABLabel:_$!<HomeAway>!$_",
     {"address": {"type": "PostalAddress", "streetAddress": "S", "contactType": "homeaway"}}),
    ("quoted-printable with soft breaks", "2.1",
     "FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=C3=91=\n=C3=91 =\nx", {"name": "ÑÑ x"}),
    ("quoted-printable that ends with a soft break", "2.1",
     "FN;QUOTED-PRINTABLE:Ada=\n\nTITLE:T", {"name": "Ada", "jobTitle": "T"}),
    ("quoted-printable before the end of the card", "2.1", "FN;QUOTED-PRINTABLE:Ada=", {"name": "Ada"}),
    ("quoted-printable line breaks", "2.1", "NOTE;ENCODING=QUOTED-PRINTABLE:a=0D=0Ab=0Ac",
     {"description": "a\nb\nc"}),
    ("quoted-printable in a new card", "3.0", "FN;encoding=quoted-printable:A=64a", {"name": "Ada"}),
    ("text in base64", "2.1", "FN;CHARSET=UTF-8;ENCODING=BASE64:" + base64.b64encode("Adé".encode()).decode(),
     {"name": "Adé"}),
    ("Latin-1 by name", "2.1", b"FN;CHARSET=ISO-8859-1:Ad\xe9", {"name": "Adé"}),
    ("a set whose characters hold separators", "2.1", b"ORG;CHARSET=SHIFT_JIS:\x83\x5c\x83\x6a;\x95\x5c",
     {"worksFor": {"type": "Organization", "name": "ソニ",
                   "department": {"type": "Organization", "name": "表"}}}),
    ("quoted parameters", "4.0", 'EMAIL;X-A="a:b;c,d";TYPE="home,pref":a@b.example\nEMAIL;PREF=1:c@d.example',
     {"email": ["a@b.example", "c@d.example"]}),
    ("a quote that is never closed", "4.0", 'EMAIL;X-A="a;PREF=1:a@b.example', {"email": "a@b.example"}),
    ("preferred first", "4.0", "EMAIL:z@x.example\nEMAIL;PREF=50:y@x.example\nEMAIL;TYPE=PREF:x@x.example",
     {"email": ["x@x.example", "y@x.example", "z@x.example"]}),
    ("the same value twice", "3.0", "EMAIL:a@b.example\nEMAIL;TYPE=WORK:a@b.example",
     {"email": "a@b.example"}),
    ("URIs of mail and telephone", "4.0", "EMAIL:mailto:a@b.example\nTEL;VALUE=uri:tel:+1-555;ext=2",
     {"email": "a@b.example", "telephone": "+1-555;ext=2"}),
    ("direction marks around a number", "3.0", "TEL:\u202a+1 555\u202c\u00a0", {"telephone": "+1 555"}),
    ("voice, fax and pager", "2.1", "TEL;PAGER:3\nTEL;WORK;FAX:2\nTEL;VOICE;FAX:1",
     {"telephone": ["1", "3"], "faxNumber": "2"}),
    ("birthday in basic form with a time", "4.0", "BDAY:19800321T101112Z", {"birthDate": "1980-03-21"}),
    ("birthday twice the same", "3.0", "BDAY:1980-03-21\nBDAY;VALUE=text:19800321",
     {"birthDate": "1980-03-21"}),
    ("gender in words", "4.0", "GENDER:O;non-binary", {"gender": "non-binary"}),
    ("gender by letter", "4.0", "GENDER:f", {"gender": "female"}),
    ("departments", "3.0", r"ORG:A\;B;C, D;;E",
     {"worksFor": {"type": "Organization", "name": "A;B", "department": {
         "type": "Organization", "name": "C, D", "department": {"type": "Organization", "name": "E"}}}}),
    ("two employers", "4.0", "ORG:A\nORG:B\nROLE:R\nTITLE:T\nTITLE:U",
     {"worksFor": [{"type": "Organization", "name": "A"}, {"type": "Organization", "name": "B"}],
      "roleName": "R", "jobTitle": ["T", "U"]}),
    ("web addresses", "3.0", "URL:www.a.example/x?y\nURL:http\\://b.example\nURL:HTTPS://ç.example/%20",
     {"url": ["http://www.a.example/x?y", "http://b.example", "HTTPS://ç.example/%20"]}),
    ("a picture on the web", "4.0", "PHOTO;MEDIATYPE=image/png:https://a.example/p.png",
     {"image": "https://a.example/p.png"}),
    ("accounts", "4.0", "IMPP:xmpp:a@b.example\nX-SOCIALPROFILE;type=x:https://s.example/@a",
     {"sameAs": ["xmpp:a@b.example", "https://s.example/@a"]}),
    ("lists", "4.0", "NICKNAME:A,B\\,C,,A\nCATEGORIES:x,y\nLANG:de\nLANG;PREF=1:en-GB",
     {"alternateName": ["A", "B,C"], "keywords": ["x", "y"], "knowsLanguage": ["en-GB", "de"]}),
    ("a whole LABEL parameter", "4.0", 'ADR;LABEL="X: 1":Box: 2;;s;;;;',
     {"address": {"type": "PostalAddress", "postOfficeBoxNumber": "Box: 2", "streetAddress": "s"}}),
    ("a value of commas", "3.0", r"NOTE:\;\,", {"description": ";,"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("version", "body", "expected"), [one[1:] for one in ODD], ids=[one[0] for one in ODD]
)
def test_odd_but_sound(version: str, body: str | bytes, expected: dict[str, Any]) -> None:
    assert fields(body, version) == expected


LEFT_OUT: list[tuple[str, str | bytes, str, str]] = [
    ("3.0", "FOO:1\nX-BAR;A=b:2\nTITLE:T\nX-BAR:3", "lines 4-5, 7: FOO, X-BAR", "no record"),
    ("3.0", "no colon here\n:\n;:x", "lines 4-6", "not a property"),
    ("3.0", "EMAIL:", "line 4: EMAIL", "is empty"),
    ("3.0", "ADR;TYPE=HOME:;;;;;;\nN:;;;;\nORG: ;", "lines 4-6: ADR, N, ORG", "is empty"),
    ("3.0", "NICKNAME:,,", "line 4: NICKNAME", "is empty"),
    ("3.0", "EMAIL:a@b.example\\nBcc: x", "line 4: EMAIL", "line break"),
    ("3.0", "NOTE:a\x07b", "line 4: NOTE", "control characters"),
    ("2.1", "NOTE;ENCODING=QUOTED-PRINTABLE:=00", "line 4: NOTE", "control characters"),
    ("2.1", "NOTE;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=C3", "line 4: NOTE", "its bytes are not text"),
    ("2.1", b"NOTE:\xff\x81", "line 4: NOTE", "its bytes are not text"),
    ("2.1", b"NOTE:\xe9", "line 4: NOTE", "Windows-1252"),
    ("2.1", "NOTE;CHARSET=zip:x\nTITLE;CHARSET=unicode_escape:x",
     "lines 4-5: NOTE, TITLE", "character set is not known"),
    ("2.1", "NOTE;ENCODING=uuencode:x", "line 4: NOTE", "encoding is not known"),
    ("2.1", "NOTE;ENCODING=BASE64:QQ", "line 4: NOTE", "its bytes are not text"),
    ("3.0", "NOTE:" + "x" * 70_000, "line 4: NOTE", "longer than"),
    ("3.0", "X-A" + ";B=c" * 3_000 + ":x", "line 4", "not a property"),
    ("3.0", "X-A" + ";B=c" * 65 + ":x", "line 4: X-A", "more than 64 parameters"),
    ("3.0", "X" * 200 + ":x", "line 4", "not a property"),
    ("4.0", "BDAY:--0412\nBDAY:1985-04\nBDAY:1985\nBDAY:---12", "lines 4-7: BDAY", "only part"),
    ("3.0", "BDAY;X-APPLE-OMIT-YEAR=1604:1604-04-12", "line 4: BDAY", "only part"),
    ("3.0", "BDAY:1985-02-30\nBDAY:0000-01-01", "lines 4-5: BDAY", "no such date"),
    ("3.0", "BDAY:circa 1800\nBDAY:١٩٨٥-٠٤-١٢", "lines 4-5: BDAY", "not a date"),
    ("3.0", "BDAY:1985-02-03\nBDAY:1985-02-04", "line 5: BDAY", "differs"),
    ("4.0", "GENDER:M\nX-GENDER:F", "line 5: X-GENDER", "differs"),
    ("4.0", "GENDER:U\nGENDER:N", "lines 4-5: GENDER", "nothing to say"),
    ("3.0", "N:A;B\nN:C;D", "line 5: N", "differs"),
    ("4.0", "N:A;B;;;;second", "line 4: N", "after the fifth"),
    ("4.0", "ADR:;;S;;;;;x", "line 4: ADR", "after the seventh"),
    ("3.0", "ORG:" + ";".join("abcdefghij"), "line 4: ORG", "more than 8 departments"),
    ("3.0", "URL:javascript:alert(1)\nURL:ftp://x.example\nURL:http://\nURL:http://a b",
     "lines 4-7: URL", "not an http"),
    ("3.0", "URL:https://x.example/%zz\nURL:https://x.example/" + "y" * 3_000,
     "lines 4-5: URL", "not an http"),
    ("3.0", "IMPP:javascript:x\nX-SOCIALPROFILE:ada", "lines 4-5: IMPP, X-SOCIALPROFILE", "an account"),
    ("3.0", "X-AIM:ada", "line 4: X-AIM", "an account"),
    ("3.0", "PHOTO;ENCODING=b;TYPE=PNG:QUJD\n REVG", "line 4: PHOTO", "picture of 6 bytes"),
    ("4.0", "PHOTO:data:image/png;base64,QUI=", "line 4: PHOTO", "picture of 2 bytes"),
    ("2.1", "PHOTO;PNG;BASE64:\nQUJD\nREVG\n", "line 4: PHOTO", "picture of 6 bytes"),
    ("2.1", "PHOTO;PNG;BASE64:\n  QUJD\n  REVG\n\n", "line 4: PHOTO", "picture of 6 bytes"),
    ("3.0", "PHOTO;ENCODING=b:" + "QUJD" * 50_000, "line 4: PHOTO", "150,000 bytes"),
    ("3.0", "PHOTO;ENCODING=b:", "line 4: PHOTO", "is empty"),
    ("3.0", "LOGO;VALUE=uri:https://a.example/l.png", "line 4: LOGO", "picture of an organization"),
    ("3.0", "KEY;ENCODING=b:QUJD", "line 4: KEY", "embedded data of 3 bytes"),
    ("3.0", "UID:1\nUID:2", "line 5: UID", "a second UID"),
    ("3.0", "VERSION:3.0\nVERSION:4.0", "line 5: VERSION", "differs"),
    ("4.0", "ADR;LABEL=a:Box: 2;;s;;;;", "line 4: ADR", "no quotes"),
    ("4.0", "KIND:wizard", "line 4: KIND", "not a kind that is known"),
    ("4.0", "RELATED;TYPE=spouse:urn:uuid:1\nANNIVERSARY:20090808", "line 4: RELATED", "about another"),
    ("3.0", "a.TEL:1\na.X-ABLabel:_$!<Main>!$_", "line 5: X-ABLABEL", "only addresses keep one"),
    ("2.1", "AGENT:\nBEGIN:VCARD\nVERSION:2.1\nFN:Bob\nEND:VCARD", "lines 4-8: AGENT", "about another"),
    ("2.1", "AGENT:BEGIN:VCARD\nFN:Bob\nEND:VCARD", "lines 4-6: AGENT", "about another"),
    ("2.1", "AGENT:\nBEGIN:VCARD\nAGENT:\nBEGIN:VCARD\nEND:VCARD\nFN:Bob\nEND:VCARD",
     "lines 4-10: AGENT", "about another"),
    ("3.0", r"AGENT:BEGIN:VCARD\nFN:Bob\nEND:VCARD\n", "line 4: AGENT", "about another"),
]  # fmt: skip


@pytest.mark.parametrize(("version", "body", "where", "reason"), LEFT_OUT, ids=range(len(LEFT_OUT)))
def test_what_is_left_out_is_named(version: str, body: str | bytes, where: str, reason: str) -> None:
    found = only(b"FN:Ada\n" + (body.encode() if isinstance(body, str) else body), version)
    matching = [one for one in found.skipped if one.where == f"card 1, {where}"]
    assert matching, found.skipped
    assert reason in matching[0].reason
    assert found.document["name"] == "Ada"
    assert "Bob" not in str(found)


def test_many_unknown_names_are_shortened_but_every_line_is_counted() -> None:
    found = only("FN:Ada\n" + "\n".join(f"X-{'LONG' * 20}-{n:03}A{n}:1\nX-{n}:1" for n in range(40)))
    assert len(found.skipped) == 1
    assert found.skipped[0].where.startswith("card 1, lines 4-83: X-LONG")
    assert found.skipped[0].where.endswith(" more")
    assert len(found.skipped[0].where) < 800


@pytest.mark.parametrize("kind", ["KIND:org", "X-ABShowAs:COMPANY"])
def test_an_organization(kind: str) -> None:
    body = (
        f"{kind}\nFN:Acme\nN:;;;;\nORG:Acme;Sales\nEMAIL:a@b.example\nTEL;FAX:2\nURL:https://a.example\n"
        "LOGO;VALUE=uri:https://a.example/l.png\nADR:;;S;;;;\nBDAY:1980-01-01\nTITLE:T\nORG:Other"
    )
    found = only(body)
    assert found.document["type"] == "Organization"
    assert found.document["name"] == "Acme"
    assert found.document["department"] == {"type": "Organization", "name": "Sales"}
    assert found.document["image"] == "https://a.example/l.png"
    assert found.document["faxNumber"] == "2"
    assert not found.document.keys() & {"birthDate", "jobTitle", "worksFor"}
    assert [(one.where, one.reason) for one in found.skipped] == [
        ("card 1, line 5: N", "is empty"),
        ("card 1, lines 12-13: BDAY, TITLE", "not kept of an organization"),
        ("card 1, line 14: ORG", "differs from the one before it, which is kept"),
    ]


def test_an_organization_without_a_formatted_name() -> None:
    found = only("KIND:org\nORG:Acme")
    assert found.document["name"] == "Acme"
    assert found.label == "Acme"


@pytest.mark.parametrize(
    ("body", "label"),
    [
        ("FN:Ada\\nExample", "Ada Example"),
        ("NICKNAME:A,B", "A"),
        ("ORG:Acme;X", "Acme"),
        ("EMAIL:a@b.example", "a@b.example"),
        ("TEL:1", "1"),
        ("NOTE:x", "card 1"),
    ],
)
def test_the_label_is_what_a_person_knows_the_card_by(body: str, label: str) -> None:
    assert only(body).label == label


def keys(*cards: bytes) -> list[str]:
    return [found.key for found in read_file(b"".join(cards)).found]


def test_an_edited_card_with_the_same_uid_keeps_its_key() -> None:
    one = keys(card("UID:urn:uuid:8B574C60-FD7F-4E99-B584-C5DB131AE687\nFN:Ada", "4.0"))
    edited = keys(card("FN:Ada B.\nUID:8b574c60-fd7f-4e99-b584-c5db131ae687"))
    assert one == edited
    assert one[0].startswith("uid:")
    assert one != keys(card("UID:other\nFN:Ada"))


def test_the_same_card_without_a_uid_has_the_same_key_however_it_is_written() -> None:
    one = keys(card("FN:Ada\nEMAIL;TYPE=HOME:a@b.example\nREV:1\nUID:"))
    assert one == keys(card(b"REV:2\nitem1.email:a@b.\n example\nPRODID:x\nFN;TYPE=x:Ada"))
    assert one[0].startswith("content:")
    assert one != keys(card("FN:Ada\nEMAIL:b@b.example"))
    assert keys(card("FN:A\nPHOTO;ENCODING=b:QUJD")) != keys(card("FN:A\nPHOTO;ENCODING=b:QUJE"))


def test_cards_that_share_a_uid_are_all_kept() -> None:
    preview: Preview = read_file(card("UID:0\nFN:Ada") + card("UID:0\nFN:Bea") + card("UID:0\nFN:Ada"))
    assert [found.label for found in preview.found] == ["Ada", "Bea"]
    assert len({found.key for found in preview.found}) == 2
    assert [one.where for one in preview.skipped] == ["card 2", "card 3"]
