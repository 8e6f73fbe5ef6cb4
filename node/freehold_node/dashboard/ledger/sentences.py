"""Entries of a ledger as sentences: who read what, who was refused, what the person changed.

Spec: specs/node/dashboard.md#ledger
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

from freehold_protocol.encoding import Document
from markupsafe import Markup

from ..page import foreign
from ..sample import SAMPLE
from ..texts import Texts
from ..visit import Visit
from ..words import Words

OUTCOME_OF: Final = {
    "admitted": "read", "refused": "refused", "changed": "changed", "received": "received", "erased": "changed",
}  # fmt: skip
_NAMED: Final = 8
"""Fields that are named in one sentence; of the others it says how many."""
_NAME_CHARS: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """A sentence, a second one or "", and which sign stands beside it."""

    sentence: Markup
    more: str
    outcome: str


def short_name(name: str, most: int = _NAME_CHARS) -> str:
    """Return the beginning of a vendor's name that is very long."""
    return name if len(name) <= most else name[: most - 1] + "…"


class Sentences:
    """Puts entries into the words of one language."""

    def __init__(self, t: Texts, words: Words, *, courier: str = "") -> None:
        """Take the words of a language, and who the courier of the demonstration is, if it runs."""
        self.t, self.words, self._courier = t, words, courier

    @classmethod
    def of(cls, visit: Visit) -> Self:
        """Return those for a page that is looked at."""
        sample = visit.request.app.get(SAMPLE)
        return cls(visit.t, visit.words, courier=sample.courier_did if sample else "")

    def entry(self, told: Document) -> Sentence:
        """Return what an entry of the activity says."""
        outcome, entry = OUTCOME_OF[told["kind"]], told.get("entry")
        if entry is None:
            return Sentence(
                sentence=self.t("ledger.gone", vendor=self.vendor(told["vendor"])), more="", outcome=outcome
            )
        says = {"admitted": self._read, "refused": self._refused, "changed": self._changed}
        sentence, more = says.get(told["kind"], self._other)(told, entry)
        return Sentence(sentence=sentence, more=more, outcome=outcome)

    def vendor(self, vendor: Document) -> Markup:
        """Return a vendor's name, kept to itself and not endless."""
        return foreign(short_name(vendor["name"]))

    def who(self, told: Document) -> Markup:
        """Return who it was: a vendor, or a partner of it."""
        vendor, who = self.vendor(told["vendor"]), told.get("who")
        if who is None or who["is"] == "vendor":
            return vendor
        if "domain" in who:
            return self.t("ledger.partner_named", partner=foreign(who["domain"]), vendor=vendor)
        if who["id"] == self._courier:
            return self.t("ledger.partner_named", partner=self.t("requests.partner_sample"), vendor=vendor)
        return self.t("ledger.partner", vendor=vendor)

    def fields(self, paths: Iterable[str]) -> str:
        """Return fields as they stand in a sentence."""
        names = list(dict.fromkeys(self._in_sentence(self.words.field(path)) for path in paths))
        if not names:
            return str(self.t("ledger.no_field"))
        if len(names) > _NAMED:
            names = [*names[: _NAMED - 1], str(self.t("ledger.more_fields", count=len(names) - _NAMED + 1))]
        if len(names) == 1:
            return names[0]
        return str(self.t("ledger.and", before=", ".join(names[:-1]), last=names[-1]))

    def _in_sentence(self, name: str) -> str:
        lowers = str(self.t("ledger.nouns")) == "small"
        return name[0].lower() + name[1:] if lowers and not name[1:2].isupper() else name

    def _read(self, told: Document, entry: Document) -> tuple[Markup, str]:
        key = "read_again" if entry["status"] == 304 else "read" if entry["count"] else "read_nothing"
        count = 2 if key == "read" and entry["count"] > 1 else 1
        text = self.t(
            f"ledger.{key}" + ("_many" if count > 1 else ""),
            who=self.who(told),
            fields=self.fields(entry["fields"]),
            records=entry["count"],
        )
        return text, ""

    def _refused(self, told: Document, entry: Document) -> tuple[Markup, str]:
        text = self.t("ledger.refused", who=self.who(told), count=entry["count"])
        return text, self.why(entry["code"])

    def why(self, code: str) -> str:
        """Return why a read was refused, as a sentence."""
        return self.words.refusal(code).rstrip(".") + "."

    def _changed(self, told: Document, entry: Document) -> tuple[Markup, str]:
        return self.change(told["vendor"], entry["change"]), ""

    def change(self, vendor: Document, change: str) -> Markup:
        """Return what the person changed for a vendor."""
        key = f"ledger.change_{change.replace('-', '_')}"
        return self.t(key if key in self.t else "ledger.change_other", vendor=self.vendor(vendor))

    def _other(self, told: Document, entry: Document) -> tuple[Markup, str]:
        if told["kind"] == "received":
            return self.t("ledger.received", who=self.who(told)), ""
        return self.t("ledger.erased", vendor=self.vendor(told["vendor"]), number=entry["erases"]), ""
