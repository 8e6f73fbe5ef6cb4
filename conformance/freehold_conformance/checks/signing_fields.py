"""The one spelling of signature fields: whatever two parsers could read in two ways is refused."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from typing import Final

from ..cast.stage import Stage
from ..check import Topic
from ..hands import message
from ..hands.crafting import Crafted, Headers, quoted
from ..hands.keys import Key
from .capability_scene import lent, of_header
from .signing_scene import (
    INVALID,
    MALFORMED,
    TOO_LARGE,
    TWICE,
    UNSUPPORTED,
    Change,
    Outcome,
    expect_refused_for,
    expect_taken,
    read,
)

topic = Topic()


def _spelled(pattern: str, by: str) -> Change:
    """Spell the input otherwise, and sign what is sent: so only the spelling is wrong."""
    return lambda made: made.but(spelled=lambda text: _changed(pattern, by, text))


def _sent_as(pattern: str, by: str) -> Change:
    """Sign the one spelling, and send another."""
    return lambda made: made.but(sent_as=lambda text: _changed(pattern, by, text))


def _changed(pattern: str, by: str, text: str) -> str:
    made, count = re.subn(pattern, by, text, count=1)
    if not count:
        raise ValueError(f"nothing to change in {text!r}")
    return made


SPELLINGS: Final[Mapping[str, tuple[str, str]]] = {
    "a-space-in-front": (r"^\(", " ("),
    "a-space-after-the-bracket": (r"^\(", "( "),
    "a-space-before-the-bracket": (r'"\)', '" )'),
    "two-spaces": (r'" "', '"  "'),
    "a-tab": (r'" "', '"\t"'),
    "no-space": (r'" "', '""'),
    "a-comma": (r'" "', '", "'),
    "a-space-before-a-parameter": (r";created", " ;created"),
    "a-space-after-a-semicolon": (r";created", "; created"),
    "a-space-before-an-equals-sign": (r"created=", "created ="),
    "a-space-after-an-equals-sign": (r"created=", "created= "),
    "a-semicolon-at-the-end": (r"$", ";"),
    "two-semicolons": (r";created", ";;created"),
    "a-leading-zero": (r"created=", "created=0"),
    "a-name-in-capitals": (r";created", ";Created"),
    "single-quotes": (r'"@method"', "'@method'"),
    "no-quotes": (r'"capability-invocation"', "capability-invocation"),
    "an-escape-that-need-not-be": (r'"@method"', '"@m\\\\ethod"'),
    "no-brackets": (r"^\((.*)\)", r"\1"),
    "an-open-string": (r'zcap"$', "zcap"),
    "no-closing-bracket": (r"\)", ""),
    "a-token-for-a-text": (r'"ed25519"', "ed25519"),
    "bytes-for-a-text": (r'"ed25519"', ":ZWQyNTUxOQ==:"),
    "brackets-in-brackets": (r'^\("@method"', '(("@method")'),
    "beyond-ascii": (r'tag="zcap"', 'tag="zc\u00e4p"'),
}


@topic.check("SIG-12", "SIG-13", cases=SPELLINGS)
async def a_signature_s_input_has_one_spelling(stage: Stage, case: tuple[str, str]) -> None:
    """Any other spelling than the canonical one is refused, whether that was signed or the canonical one."""
    scene = await lent(stage)
    for change in (_spelled(*case), _sent_as(*case)):
        await expect_refused_for(scene, change, MALFORMED)


def _twice(name: str) -> Change:
    return _spelled(rf";({name}=[^;]*)", r";\1;\1")


TWO: Final[Mapping[str, Change]] = {
    **{f"parameter-{name}": _twice(name) for name in ("created", "expires", "keyid", "alg", "nonce", "tag")},
    "another-value-of-a-parameter": _spelled(r";created=([0-9]+)", r";created=\1;created=1"),
    "label": lambda made: made.but(finished=_labelled_twice),
    "label-in-the-signature": lambda made: made.but(
        finished=lambda headers: headers | {"signature": f"{headers['signature']}, {headers['signature']}"}
    ),
    "component": _spelled(r'"@method"', '"@method" "@method"'),
}


def _labelled_twice(headers: Headers) -> Headers:
    return headers | {"signature-input": f"{headers['signature-input']}, {headers['signature-input']}"}


@topic.check("SIG-2", "SIG-14", cases=TWO)
async def what_comes_twice_is_refused(stage: Stage, change: Change) -> None:
    """A key, a parameter or a component that comes twice is refused, where RFC 9651 lets the last one win."""
    await expect_refused_for(await lent(stage), change, TWICE)


def _signature(change: Callable[[str], str]) -> Change:
    """Spell the bytes of the signature otherwise."""

    def finished(headers: Headers) -> Headers:
        label, _, text = headers["signature"].partition("=")
        return headers | {"signature": f"{label}={change(text)}"}

    return lambda made: made.but(finished=finished)


_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def _trailing_bits(text: str) -> str:
    at = text.index("==") - 1
    return text[:at] + _ALPHABET[_ALPHABET.index(text[at]) ^ 1] + text[at + 1 :]


def _url_alphabet(text: str) -> str:
    data = base64.b64decode(text.strip(":"))
    made = base64.urlsafe_b64encode(data).decode()
    # A signature without any of the two letters is the same in both alphabets: then one is put in.
    return f":{made}:" if made != text.strip(":") else f":-{made[1:]}:"


BYTES: Final[Mapping[str, Change]] = {
    "not-padded": _signature(lambda text: text.replace("==:", ":")),
    "half-padded": _signature(lambda text: text.replace("==:", "=:")),
    "trailing-bits": _signature(_trailing_bits),
    "the-alphabet-of-urls": _signature(_url_alphabet),
    "a-space-within": _signature(lambda text: text[:9] + " " + text[9:]),
    "a-line-break-within": _signature(lambda text: text[:9] + "\t" + text[9:]),
    "no-colons": _signature(lambda text: text.strip(":")),
    "one-colon": _signature(lambda text: text[:-1]),
    "a-text": _signature(lambda text: quoted(text.strip(":"))),
    "a-list": _signature(lambda text: f"({text})"),
    "nothing": _signature(lambda _: ""),
    "something-after": _signature(lambda text: text + "x"),
}


@topic.check("SIG-3", "ENC-3", cases=BYTES)
async def bytes_are_padded_base64(stage: Stage, change: Change) -> None:
    """The bytes of a signature have one spelling."""
    await expect_refused_for(await lent(stage), change, MALFORMED)


KINDS: Final[Mapping[str, tuple[Change, tuple[Outcome, ...]]]] = {
    "a-date": (_spelled(r"created=([0-9]+)", r"created=@\1"), (UNSUPPORTED, MALFORMED)),
    "a-date-beside": (_spelled(r"$", ";x=@1659578233"), (UNSUPPORTED,)),
    "a-display-string": (_spelled(r'tag="zcap"', 'tag=%"zcap"'), (UNSUPPORTED, MALFORMED)),
    "another-parameter": (_spelled(r"$", ';note="x"'), (UNSUPPORTED,)),
    "another-parameter-in-front": (_spelled(r";created", ";x;created"), (UNSUPPORTED,)),
    "a-decimal": (_spelled(r"(created=[0-9]+)", r"\1.5"), (MALFORMED,)),
    "a-boolean": (_spelled(r"created=[0-9]+", "created=?1"), (MALFORMED,)),
    "a-number-for-a-text": (_spelled(r'alg="ed25519"', "alg=1"), (MALFORMED,)),
}


@topic.check("SIG-4", "SIG-13", cases=KINDS)
async def parameters_are_those_and_of_their_kinds(
    stage: Stage, case: tuple[Change, tuple[Outcome, ...]]
) -> None:
    """A parameter that is not known, or of a kind that nothing here has, is refused."""
    change, outcomes = case
    await expect_refused_for(await lent(stage), change, *outcomes)


def _order(*names: str) -> Change:
    return lambda made: made.but(parameters={name: made.parameters[name] for name in names})


@topic.check(
    "SIG-13", "SIG-18",
    cases={
        "turned-round": ("tag", "nonce", "alg", "keyid", "expires", "created"),
        "by-the-alphabet": ("alg", "created", "expires", "keyid", "nonce", "tag"),
        "nonce-first": ("nonce", "created", "expires", "keyid", "alg", "tag"),
    },
)  # fmt: skip
async def parameters_may_come_in_any_order(stage: Stage, names: tuple[str, ...]) -> None:
    """Another order of the same parameters is as good."""
    scene = await lent(stage)
    await expect_taken(scene, _order(*names)(read(scene)))


@topic.check("SIG-11", cases={"long": "a-label_of.letters*0", "star": "*x", "one": "a", "other": "zcap"})
async def a_label_says_nothing(stage: Stage, label: str) -> None:
    """Any key that a dictionary may have will do."""
    scene = await lent(stage)
    await expect_taken(scene, read(scene).but(label=label))


def _beside(tag: str | None, *, first: bool = False) -> Change:
    """Put another good signature beside, of another tag or of none."""

    def change(made: Crafted) -> Crafted:
        parameters = {**made.parameters, "nonce": quoted(message.nonce()), "tag": quoted(tag or "")}
        if tag is None:
            del parameters["tag"]
        other = made.but(label="other", parameters=parameters, finished=dict).sign()

        def finished(headers: Headers) -> Headers:
            both = {}
            for name in ("signature-input", "signature"):
                pair = [headers[name], other[name]]
                both[name] = ", ".join(pair[::-1] if first else pair)
            return {**headers, **both}

        return made.but(finished=finished)

    return change


@topic.check(
    "SIG-11", "SIG-12",
    cases={
        "another-tag": _beside("other"), "another-tag-in-front": _beside("other", first=True),
        "a-did-s": _beside("freehold-did"), "none": _beside(None),
    },
)  # fmt: skip
async def another_signature_may_stand_beside(stage: Stage, change: Change) -> None:
    """A signature of another tag is passed over, in whichever order the two stand."""
    scene = await lent(stage)
    await expect_taken(scene, change(read(scene)))


def _only(name: str, change: Callable[[str], str]) -> Change:
    return lambda made: made.but(finished=lambda headers: headers | {name: change(headers[name])})


def _without(*names: str) -> Change:
    return lambda made: made.but(
        finished=lambda headers: {name: value for name, value in headers.items() if name not in names}
    )


def _tight(change: Change) -> Change:
    """Join two signatures without a space after the comma."""

    def tight(made: Crafted) -> Crafted:
        before = change(made).finished
        return made.but(
            finished=lambda headers: {
                name: value.replace(", ", ",") if name == "signature-input" else value
                for name, value in before(headers).items()
            }
        )

    return tight


LABELS: Final[Mapping[str, tuple[Change, tuple[Outcome, ...]]]] = {
    "two-of-the-tag": (_beside("zcap"), (MALFORMED,)),
    "another-label": (_only("signature", lambda text: "x" + text), (MALFORMED,)),
    "a-label-more": (_only("signature", lambda text: f"{text}, x=:AAAA:"), (MALFORMED,)),
    "an-input-more": (_only("signature-input", lambda text: f'{text}, x=("@method");tag="y"'), (MALFORMED,)),
    "no-signature": (_without("signature"), (MALFORMED,)),
    "no-input": (_without("signature-input"), (MALFORMED,)),
    "neither": (_without("signature", "signature-input"), (MALFORMED,)),
    "an-empty-input": (_only("signature-input", lambda _: ""), (MALFORMED,)),
    "a-label-in-capitals": (lambda made: made.but(label="Sig"), (MALFORMED,)),
    "no-label": (lambda made: made.but(label=""), (MALFORMED,)),
    "no-space-after-the-comma": (_tight(_beside("other")), (MALFORMED,)),
    "a-comma-at-the-end": (_only("signature-input", lambda text: text + ","), (MALFORMED,)),
}


@topic.check("SIG-11", "SIG-12", cases=LABELS)
async def both_headers_name_the_same_labels(stage: Stage, case: tuple[Change, tuple[Outcome, ...]]) -> None:
    """Signature and its input name the same, and exactly one signature has the tag that is asked for."""
    change, outcomes = case
    await expect_refused_for(await lent(stage), change, *outcomes)


def _long_label(made: Crafted) -> Crafted:
    return made.but(label="a" * 8_200)


LARGE: Final[Mapping[str, tuple[Change, tuple[Outcome, ...]]]] = {
    "a-long-input": (_long_label, (TOO_LARGE,)),
    "many-parameters": (_spelled(r"$", ";a" * 300), (TOO_LARGE,)),
    "many-components": (
        lambda made: made.but(components=(*made.components, *(quoted(f"x-{i}") for i in range(40)))),
        (TOO_LARGE, INVALID),
    ),
    "many-signatures": (
        _only("signature", lambda text: ", ".join([text, *(f"s{i}=:AAAA:" for i in range(300))])), (TOO_LARGE,),
    ),
    "a-long-nonce": (lambda made: made.with_parameters(nonce=quoted("a" * 9_000)), (TOO_LARGE,)),
    "a-capability-too-long-for-its-header": (
        lambda made: made.but(headers={"capability-invocation": of_header("A" * 8_193)}), (TOO_LARGE, MALFORMED),
    ),
}  # fmt: skip


@topic.check("SIG-1", "SIG-14", "LIM-1", cases=LARGE)
async def large_fields_are_refused_unread(stage: Stage, case: tuple[Change, tuple[Outcome, ...]]) -> None:
    """A field over its bound is refused for that, though it would verify."""
    change, outcomes = case
    await expect_refused_for(await lent(stage), change, *outcomes)


def _second_line(name: str, text: str) -> Change:
    """Send a header once more, on a line of its own."""
    return _only(name, lambda value: f"{value}\r\n{name}: {text or value}")


LINES: Final[Mapping[str, tuple[Change, tuple[Outcome, ...]]]] = {
    "capability-twice": (_second_line("capability-invocation", ""), (MALFORMED, INVALID, TOO_LARGE)),
    "another-capability": (
        _second_line("capability-invocation", 'zcap id="urn:zcap:root:x",action="read"'), (MALFORMED, INVALID),
    ),
    "input-twice": (_second_line("signature-input", ""), (TWICE,)),
    "signature-twice": (_second_line("signature", ""), (TWICE,)),
}  # fmt: skip


@topic.check("SIG-5", "SIG-2", cases=LINES)
async def lines_of_one_name_are_one_value(stage: Stage, case: tuple[Change, tuple[Outcome, ...]]) -> None:
    """A header that comes on two lines is both joined, so that neither of them is passed over."""
    change, outcomes = case
    await expect_refused_for(await lent(stage), change, *outcomes)


@topic.check("SIG-5")
async def signatures_on_lines_of_their_own_are_joined(stage: Stage) -> None:
    """Two signatures may come on two lines, and white space around a value is no part of it."""
    scene = await lent(stage)
    change = _beside("other")

    def lines(made: Crafted) -> Crafted:
        both = change(made).finished

        def finished(headers: Headers) -> Headers:
            return {
                name: f"  {value}\t".replace(", other=", f"\r\n{name}: other=")
                if name.startswith("sig")
                else value
                for name, value in both(headers).items()
            }

        return made.but(finished=finished)

    await expect_taken(scene, lines(read(scene)))


ODD_VALUES: Final[Mapping[str, str]] = {
    "beyond-ascii": "\u00e9",
    "nul": "\0",
    "carriage-return": "\r",
}


@topic.check("SIG-6", cases=ODD_VALUES)
async def a_value_is_of_ascii(stage: Stage, odd: str) -> None:
    """A value with a character that no header may have is refused."""
    change = _only("capability-invocation", lambda text: text.replace("zcap ", f"zcap{odd} "))
    await expect_refused_for(await lent(stage), change, MALFORMED)


@topic.check("SIG-10", "INV-1", cases={"body": ("content-type", "content-digest"), "odd": ("x-odd",)})
async def what_is_covered_is_there(stage: Stage, names: tuple[str, ...]) -> None:
    """A signature that covers a header which did not come does not verify, as empty or at all."""
    await expect_refused_for(
        await lent(stage),
        lambda made: made.but(components=(*made.components, *map(quoted, names))),
        INVALID,
    )


@topic.check("SIG-17", "HTTP-11")
async def nothing_that_is_said_counts_before_the_signature_verifies(stage: Stage) -> None:
    """A forged request with a good capability is refused alike, whatever it asks for."""
    scene = await lent(stage)
    for below in ("/delivery/records", "/nothing/records", "/delivery/records/zUnknown"):
        forged = read(scene, below).but(key=Key.fresh())
        await expect_refused_for(scene, lambda _, forged=forged: forged, INVALID)  # type: ignore[misc]
