"""Every sentence with which a reader of files says where something is and why it is left out or refused.

A sentence has a code, so that the pages can say it in the person's language: ``dashboard/texts/*/reasons.toml`` has a
text for each code. Nothing that stands in a place carries a value from the file.

Spec: specs/node/imports.md#reasons
"""

from __future__ import annotations

from typing import Final

from freehold_protocol.reason import Reason

REASONS: Final = {
    # Places in a file
    "line": "line {numbers}",
    "lines": "lines {numbers}",
    "transaction": "transaction {numbers}",
    "transactions": "transactions {numbers}",
    "card": "card {number}",
    "event": "event {number}",
    "item": "item {number}",
    "account": "account",
    "the-file": "the file",
    "column": "column {names}",
    "columns": "columns {names}",
    "named": "{place}: {names}",
    "within": "{outer}, {inner}",
    "and-more": "{what} and {count} more",
    "part": "{place}: {reason}",
    # Whole files, and too much of something
    "large-file": "the file is over {most} MiB",
    "nothing-in": "nothing in the {format} file can be imported",
    "nothing-in-named": "nothing in the {format} file can be imported ({parts})",
    "none-of-them": "the file is neither vCard, iCalendar, OFX, JSON-LD nor a table (CSV)",
    "none-of-them-hint": "the file is neither vCard, iCalendar, OFX, JSON-LD nor a table (CSV): {hint}",
    "hint-spreadsheet": "this looks like a spreadsheet; save the table as CSV first",
    "hint-unpack": "unpack it first and import the files in it",
    "hint-as-vcard": "export the address book as vCard (.vcf) instead",
    "needs-no-mapping": "this is {format}, which needs no mapping; mappings are for tables (CSV)",
    "nobody": "no person in the file has this e-mail address, full name or number",
    "several": "several people in the file match; choose one by its number: {numbers}",
    "same-as": "the same as {place}",
    "says-it-is": "says it is {place}, but differs from it",
    "many-cards": "more than {most} cards",
    "many-lines": "more than {most} lines",
    "many-events": "more than {most} events",
    "many-records": "more than {most} records",
    "many-items": "more than {most} items",
    "many-tags": "more than {most} tags",
    "many-columns": "more than {most} columns",
    "many-rows": "more than {most} rows",
    "many-transactions": "more than {most} statements and transactions",
    "many-credentials": "one file brings at most {most} credentials",
    "many-parameters": "has more than {most} parameters",
    "many-departments": "more than {most} departments within each other",
    "deep-elements": "more than {most} elements within each other",
    "long-value": "longer than {most} bytes",
    "long-text": "more than {most} KiB",
    "embedded-picture": "an embedded picture of {size:,} bytes; only web addresses of pictures are kept",
    "embedded-data": "embedded data of {size:,} bytes",
    "no-end": "it has no END:{name}; the file may be cut off",
    # Linked data and credentials
    "undefined-term": "UndefinedTerm: {error}",
    "not-valid": "{error}",
    "other-context": "its @context is neither {context} nor https://schema.org",
    "own-to-write": "member {name!r} is the node's own to write",
    "of-holder": "only says something of what holds the others, not of one of them: {names}",
    "proof-not-verified": "its proof was not verified: {reason}",
    "not-its-issuer": "the key that signed it is not shown to be its issuer's",
    # Cells and tables
    "no-amount-with": "not a number with {sign!r} as its decimal sign",
    "no-date-like": "not a date of the form {pattern}",
    "pattern-help": "made of YYYY, YY, MM, MMM, DD, HH, hh, mm, ss, AM and Z, such as DD.MM.YYYY",
    "no-part-of-date": "{token!r} stands for nothing in a date; it is {help}",
    "no-whole-date": "a date has a year, a month and a day, each once: {help}",
    "columns-alike": (
        "the table has more than one column {names}: name them anew in the mapping, in [file] with "
        "header = [...] and skip = 1"
    ),
    "no-such-column": "the table has no column {names}, which the mapping names; its columns are: {columns}",
    "unknown-table": (
        "this is a table of {columns} columns, and not one whose header is known: say in a mapping "
        "which column is what (freehold import FILE --mapping MAPPING); --suggest-mapping writes one "
        "to begin with"
    ),
    "not-encoded": "the table is not {encoding}: say in a mapping which encoding it has",
    "encoding-not-known": (
        "the table is neither UTF-8 nor Windows-1252: say in a mapping which encoding it has"
    ),
    # Mappings
    "large-mapping": "a mapping has at most {most} KiB",
    "mapping-not-toml-at": "the mapping is not TOML: {error}",
    "mapping-records": "a mapping has 1 to {most} sections [[record]]",
    "mapping-source": (
        "the mapping names a key but no source: say at its top where the table comes from, such as "
        'source = "orders of shop.example"'
    ),
    "mapping-long": "a section of a mapping has at most {most} lines",
    "in-mapping": "in the mapping, {place}: {what}",
    "mapping-nothing": "{name!r} means nothing here",
    "mapping-is": "{name!r} is {form}",
    "form-text": "a text",
    "form-number": "a number",
    "form-flag": "true or false",
    "form-names": "a list of column names",
    "form-up-to": "a number from 0 to {most}",
    "form-section": "a section",
    "form-section-of": "a section [{name}]",
    "form-tables": "written as [[{name}]]",
    "mapping-separator": "'separator' is one character, such as ';' or '\\t'",
    "mapping-as": "'as' is one of {kinds}",
    "mapping-decimal": "'decimal' is '.' or ','",
    "mapping-zone": "'zone' is the name of a time zone such as 'Europe/Berlin'",
    "mapping-no-columns": "no column becomes anything: write [record.columns]",
    "mapping-number": "its path has {numbered}, but its name has none",
    "mapping-constant": "a constant is a text, a whole number, true or false",
    "mapping-types": "[record.types] says for a path which type its node is, such as Organization",
    "mapping-both": "{path!r} cannot be a value and have fields of its own",
    "mapping-which-type": "say in [record.types] which type {path!r} is, such as Organization",
    "mapping-collect-field": "'collect' names a field that no column becomes",
    "mapping-collect-key": "'collect' gathers the rows of one key: name a key",
    # What is left out of cards, calendars, statements, linked data and rows, and why
    "about-calendar": "about the calendar, not about an event",
    "about-card": "about the card, not about the person",
    "about-entry": "about the entry, not about the event",
    "about-file": "about the file and its making",
    "account-without-address": "an account name without an address (URI)",
    "after-fifth": "its parts after the fifth are not kept",
    "after-seventh": "its parts after the seventh are not kept",
    "another-before": "there is another before it, which is kept",
    "another-person": "about another person; import that person's card of its own",
    "attachment": "attachments are not kept",
    "available": "when somebody is available; only events are kept",
    "balance": "a balance of one day; no record has a field for it",
    "bank-failed": "the bank says that it could not answer in full",
    "bank-order": "an order to the bank, not what was booked",
    "bank-question": "a question to the bank",
    "belonging": "how entries belong together is not kept",
    "broken-row": "a quotation mark that is out of place or not closed, or a row that is too long",
    "busy": "when somebody is busy; only events are kept",
    "calendar-address": "calendar addresses are not kept",
    "column-empty": "it is empty in every row; has the layout of the table changed?",
    "column-unknown": "the mapping says nothing of it",
    "column-unread": "not one of its values could be read so; has the layout of the table changed?",
    "comment": "notes about the entry are not kept",
    "conference": "addresses of conferences are not kept",
    "control-characters": "holds control characters",
    "correction": "a correction of an earlier transaction; correct that record by hand",
    "cut-off": "it has no end; the file may be cut off",
    "date-without-field": "a date or place that no record has a field for yet",
    "declares": "the file declares a document type or entities; such a file is not read",
    "description-again": "another form of the description",
    "differs": "differs from the one before it, which is kept",
    "ends-before": "it ends before it begins",
    "fewer-cells": "fewer cells than there are columns; the missing ones were read as empty",
    "further-times": "further times of its own; no record has a field for them",
    "guessed-characters": "not UTF-8, so it was read as Windows-1252: look at its accents",
    "guessed-despite-name": (
        "not in the character set that the file names, so it was read as Windows-1252: look at its accents"
    ),
    "id-no-text": "its id is not a text",
    "is-empty": "is empty",
    "jcard": "this is jCard; export the address book as vCard (.vcf) instead",
    "journal": "a journal entry; only events are kept",
    "key-or-sound": "keys and sounds are not kept",
    "label-without-quotes": (
        "its LABEL has no quotes, so it was taken to end at the last colon before the address"
    ),
    "line-break": "has a line break where none can be",
    "long-credential": "a credential of more text than one record holds",
    "mapping-encoding": "the mapping names an encoding that is not known",
    "mapping-not-toml": "the mapping is not TOML",
    "marked-private": "that it is marked as private is not kept: whoever may read events may read it",
    "more-cells": "more cells than there are columns, so which is which cannot be told",
    "more-than-a-record": "more than one record holds",
    "name-kept-otherwise": "how a name is sorted, spoken or was before is not kept",
    "named-twice": "a node names its type or its id twice",
    "no-account": "which account it is about is not said",
    "no-address": "neither a name nor an e-mail address",
    "no-amount": "its amount (TRNAMT) is missing or no number",
    "no-booking-date": "its date (DTPOSTED) is missing or no date",
    "no-end-before-next": "it has no END:VCARD before the next card begins",
    "no-end-of-card": "it has no END:VCARD; the file may be cut off",
    "no-event": "only events are kept",
    "no-field": "no record has a field for this",
    "no-header": "the table has no header row",
    "no-key": "nothing stands in its key columns, so it is known again by its whole content only",
    "no-number": "it has no number (FITID), so it is known again by its whole content",
    "no-object": "not a JSON object",
    "no-person": "the card of a group, a place or a thing, not of a person",
    "no-property": "not a property",
    "no-rule": "exceptions from a rule of repetition that is not kept",
    "no-start": "its beginning is not known",
    "no-state": "schema.org has no such state",
    "no-such-date": "no such date",
    "no-such-moment": "no such date or time",
    "no-version": "no version is named, so the card was read as 3.0",
    "no-web-address": "not an http or https address",
    "not-a-date": "not a date",
    "not-a-duration": "not a duration",
    "not-a-rule": "not a rule of repetition",
    "not-a-time": "not a date or time",
    "not-iso-date": "not a date of the form YYYY-MM-DD",
    "not-its-encoding": "its bytes are not text in its encoding and character set",
    "not-of-organization": "not kept of an organization",
    "not-text": "not text",
    "not-this-character-set": "the file is not text in the character set that it names",
    "not-utf16": "the file says it is UTF-16, but is not",
    "nothing-kept": "nothing in it can be kept",
    "nothing-to-say": "says that there is nothing to say",
    "one-time": "one time of a repeated event, kept as an event of its own",
    "organization-picture": "the picture of an organization",
    "other-label": "a label of another line; only addresses keep one",
    "other-people": "about other people, who were not asked",
    "outside-card": "stands outside any card",
    "outside-entry": "stands outside any entry",
    "part-of-date": "only part of a date",
    "position": "positions are not kept",
    "position-or-zone": "positions and time zones are not kept",
    "print-hint": "a hint how to print an address",
    "printed-address": "the printed form of an address; addresses are read from ADR",
    "rates": "rates and amounts in other currencies are not kept",
    "reminder": "reminders are not kept",
    "row-differs": "says something else of the same record than an earlier row, which is kept",
    "rule-without-field": "a rule of repetition that no record has a field for; only the first time is kept",
    "second-uid": "a second UID",
    "securities": "securities are not kept",
    "task": "a task; only events are kept",
    "too-deep": "too much within each other",
    "too-long": "more text than one record holds",
    "too-many-digits": "more digits than a number keeps; read it as a decimal",
    "too-many-exceptions": "more exceptions than a record keeps",
    "too-many-lines": "it has too many lines",
    "too-many-parts": "more parts than a transaction has",
    "too-many-values": "more values than a field holds",
    "unknown-character-set": "its character set is not known",
    "unknown-encoding": "its encoding is not known",
    "unknown-kind": "not a kind that is known, so the card was read as a person's",
    "unknown-version": "its version is not 2.1, 3.0 or 4.0",
    "unknown-zone": "its time zone is not known, so only the time on the wall is kept, without an offset",
    "unreadable": "cannot be read",
    "unsound": "holds control characters, or more text than a field holds",
    "utf16-without-mark": "the table looks like UTF-16 without its mark: say so in a mapping, as encoding",
}
"""By code, in English, as the command line says them."""


_JOINERS: Final = "\u200c\u200d"
"""Some scripts and emoji need them."""


def why(code: str, **told: str | int | tuple[Reason, ...]) -> Reason:
    """Return the sentence of a code, with what stands in its places: names of a file as far as they show."""
    return Reason.made(code, REASONS[code], {name: _as_it_shows(value) for name, value in told.items()})


def _as_it_shows(value: str | int | tuple[Reason, ...]) -> str | int | tuple[Reason, ...]:
    if not isinstance(value, str) or isinstance(value, Reason) or value.isprintable():
        return value
    return "".join(char if char.isprintable() or char in _JOINERS else "\ufffd" for char in value)


def reason_of(error: Exception) -> Reason:
    """Return why an error was raised; where it says so in words of the protocol, these."""
    return Reason.of(error) or why("not-valid", error=str(error))
