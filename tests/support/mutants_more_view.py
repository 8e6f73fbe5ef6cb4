"""Faults in what a view shows: which records, which fields, under which ids, on which page, by which tag."""

from __future__ import annotations

import os
from typing import Any

from freehold_node import relations, selection, shown, view
from freehold_node.person_keys import PersonKeys
from freehold_node.records import Records
from freehold_node.store.sql import SqlTransactor
from freehold_protocol import limits, released
from freehold_protocol.encoding import parse_document
from freehold_protocol.request import Request
from mutant import Mutants, edit, wrap

mutants = Mutants()


def knows(module: Any, **names: Any) -> None:
    """Have a module know these names, for what is written into it."""
    vars(module).update(names)


# Which records


@mutants("HTTP-32", "does not look at the condition of an item")
def conditions_of_items_are_ignored() -> None:
    edit(shown, "items_showing", ("matches(content, item.where)", "True"))
    edit(shown, "shown_records", ("matches(content_of(json.loads(row.document)), item.where)", "True"))


@mutants("HTTP-32", "shows of a record what an item of another type gives")
def items_of_another_type() -> None:
    edit(shown, "items_showing", ("if item.type == row.type\n        and", "if"))


@mutants("HTTP-32", "shows the fields of the first item only that selects a record")
def fields_of_the_first_item() -> None:
    edit(view._Showing, "_shown", ("for item in shown for", "for item in shown[:1] for"))


@mutants("HTTP-32", "shows what was asked and not what was given of it")
def what_was_asked() -> None:
    knows(view, Request=Request, parse_document=parse_document)
    edit(
        view, "make_view",
        (
            "if selection.fields is not None",
            ("asked = Request.from_dict(parse_document(reader.request(standing.owner, standing.request).document))\n"
            "    permission = next(one for one in asked.permissions if one.name == permission.name)\n"
            "    if selection.fields is not None"),
        ),
    )  # fmt: skip


@mutants("HTTP-33", "finds a record by its alias whether it is in the view or not")
def any_record_by_alias() -> None:
    edit(
        view._Showing, "document",
        (
            "for row, fields, content in self._shown(after=0):",
            ("for row in self._reader.records(self._standing.owner, limit=100_000):\n"
            "        fields, content = self._permission.fields, content_of(json.loads(row.document))"),
        ),
    )  # fmt: skip


@mutants("HTTP-33", "finds a record by another vendor's alias of it")
def aliases_of_others() -> None:
    seen: list[Any] = []
    knows(view, _seen=seen)

    def derive(old: Any, self: Any, *which: Any) -> Any:
        seen.append(old(self, *which))
        return seen[-1]

    wrap(PersonKeys, "_derive", derive)
    edit(
        view._Showing, "document",
        ("hmac.compare_digest(self._keys.alias_of(row.id), alias)", "any(keys.alias_of(row.id) == alias for keys in _seen)"),
    )  # fmt: skip


@mutants("REC-11", "shows who was the person until something else changes")
def the_person_is_remembered() -> None:
    edit(SqlTransactor, "set_self", ("self._bump_records(owner)", "pass"))


@mutants("REC-9", "goes on showing a record that was deleted")
def deleted_records_stay() -> None:
    edit(SqlTransactor, "delete_record", ("self._bump_records(owner)", "pass"))
    edit(
        Records,
        "delete",
        ("self._relations.record_goes(tx, row, now_us)", "pass"),
        ("self._views.clear()", "pass"),
    )


@mutants("GRA-13", "does not count the deletion of a record that was shown")
def deletions_do_not_count() -> None:
    edit(relations.Relations, "record_goes", ("tx.bump_epoch(self._owner, standing.grant)", "pass"))


@mutants("REQ-9", "shows records as they were when they were first shown")
def records_as_they_were() -> None:
    knows(view, _first={})
    edit(
        view._Showing,
        "_shown",
        (
            "content = content_of(json.loads(row.document))",
            "content = _first.setdefault(row.id, content_of(json.loads(row.document)))",
        ),
    )


# Which fields


@mutants("HTTP-35", "forgets which fields were asked for, of a single record")
def fields_of_a_page_only() -> None:
    edit(
        view._Showing,
        "document",
        (
            "self._release(row, fields, content)",
            "release_document(row.id, content, fields=fields, key=self._keys.serving, alias=self._keys.alias_of)",
        ),
    )


@mutants("HTTP-35", "shows by name what another permission of the grant gives")
def fields_of_other_permissions() -> None:
    edit(
        view, "make_view",
        ("set(permission.fields)", "{path for one in grant.permissions for path in one.fields}"),
    )  # fmt: skip
    edit(view._Showing, "_asked", ("tuple(path for path in fields if path in asked)", "asked"))


@mutants("HTTP-35", "shows by name what stands beside a field that is given")
def fields_beside() -> None:
    edit(
        view, "make_view",
        ("not set(selection.fields) <= set(permission.fields)", "not {p.rpartition('.')[0] or p for p in selection.fields} <= {p.rpartition('.')[0] or p for p in permission.fields}"),
    )  # fmt: skip
    edit(view._Showing, "_asked", ("tuple(path for path in fields if path in asked)", "asked"))


@mutants("HTTP-35", "takes a name above a field that is given for that field, and below it")
def fields_above() -> None:
    edit(
        view, "make_view",
        ("not set(selection.fields) <= set(permission.fields)", "not all(any((given + '.').startswith(path + '.') for given in permission.fields) for path in selection.fields)"),
    )  # fmt: skip


@mutants("HTTP-35", "finds by no other fields than those a read asks for")
def finds_by_asked_fields() -> None:
    edit(
        view._Showing,
        "page",
        ("project(content, fields, alias", "project(content, self._asked(fields), alias"),
    )


@mutants("HTTP-35", "takes the keys of a page with an alias too")
def keys_of_pages_with_an_alias() -> None:
    edit(selection, "parse_selection", ('{"fields"} if alias is not None else ', ""))


@mutants("HTTP-35", "takes a limit of more than a page for a page")
def limits_are_cut() -> None:
    edit(
        selection,
        "_limit",
        ("1 <= number <= limits.MAX_PAGE", "1 <= number"),
        ("return number", "return min(limits.MAX_PAGE, number)"),
    )


@mutants("HTTP-35", "shows a hundred records where nothing is said")
def another_default_page() -> None:
    limits.DEFAULT_PAGE = 100


@mutants("HTTP-35", "is content if one condition of a read is met")
def one_condition_of_a_read() -> None:
    edit(
        view._Showing,
        "page",
        (
            "matches(project(content, fields, alias=self._keys.alias_of), selection.where)",
            "(not selection.where or any(matches(project(content, fields, alias=self._keys.alias_of), [one]) for one in selection.where))",
        ),
    )


# Projection


@mutants("REL-2", "shows the type of a node where a path ends at it")
def types_of_nodes() -> None:
    edit(
        released,
        "_project_value",
        (
            "return _ABSENT if node is None else node",
            "return {'type': value['type']} if node is None and 'type' in value else _ABSENT if node is None else node",
        ),
    )


@mutants("REL-2", "keeps an array in which nothing is left")
def empty_arrays() -> None:
    edit(released, "_project_value", ("return kept or _ABSENT", "return kept"))


@mutants("REL-2", "does not look through arrays of nodes")
def no_nodes_in_arrays() -> None:
    edit(
        released, "_project_value", ("for item in value]", "for item in value if not isinstance(item, dict)]")
    )


@mutants("REL-3", "shows a text only where no longer path goes through its place")
def longer_paths_hide() -> None:
    edit(released, "_project_value", ("not tree.ends", "not tree.ends or tree.below"))


@mutants("REL-4", "leaves out records of which nothing is shown")
def empty_records_are_left_out() -> None:
    edit(
        view._Showing,
        "_shown",
        (
            "if shown:",
            "if shown and len(project(content, [p for i in shown for p in i.fields], alias=str)) > 1:",
        ),
    )


@mutants("REL-5", "leaves the person's ids in arrays as they are")
def ids_in_arrays() -> None:
    edit(
        released,
        "_project_value",
        (
            "_project_value(item, tree, alias)",
            "item if isinstance(item, str) and tree.ends else _project_value(item, tree, alias)",
        ),
    )


@mutants("REL-6", "takes 1 and 1.0 for two numbers")
def two_kinds_of_one() -> None:
    edit(
        released,
        "_same",
        ("isinstance(value, bool) == isinstance(wanted, bool)", "type(value) is type(wanted)"),
    )


@mutants("REL-6", "compares a number with the text of it")
def numbers_as_texts() -> None:
    edit(
        released,
        "_same",
        ("value == wanted", "str(value) == str(wanted)"),
        ("isinstance(value, bool) == isinstance(wanted, bool)", "True"),
    )


@mutants("REL-6", "looks at the first of several values only")
def first_values_only() -> None:
    edit(released, "matches", ("in leaves(content, path)", "in leaves(content, path)[:1]"))


@mutants("REL-6", "finds a part of a text")
def parts_of_texts() -> None:
    edit(
        released,
        "_same",
        (
            "return value",
            "return (isinstance(value, str) and isinstance(wanted, str) and wanted in value) or value",
        ),
    )


# Documents and pages


@mutants("REL-7", "takes the version of a released document from the record")
def version_of_the_record() -> None:
    edit(
        view._Showing,
        "_release",
        ("return release_document(", "made = release_document("),
        (
            "alias=self._keys.alias_of\n    )",
            "alias=self._keys.alias_of\n    )\n    unsigned = {**made.unsigned, 'version': base64url_encode(hashlib.sha256(row.cid.encode()).digest())}\n    return type(made)(unsigned=unsigned, canonical=jcs(unsigned), fields=made.fields, count=1)",
        ),
    )


@mutants("REL-11", "says on a page how many records there are")
def pages_with_a_count() -> None:
    edit(released, "release_page", ('"items": items,', '"items": items, "count": len(items),'))


# Tags


@mutants("HTTP-31", "makes the tag of the bytes that are sent")
def tags_of_signed_bytes() -> None:
    edit(
        view,
        "make_view",
        ("hashlib.sha256(released.canonical)", "hashlib.sha256(released.sign(keys.serving))"),
    )


@mutants("HTTP-31", "makes the tag of the records' version")
def tags_of_all_records() -> None:
    edit(
        view,
        "make_view",
        (
            "hashlib.sha256(released.canonical)",
            "hashlib.sha256(bytes([standing.records_version % 256]) + released.canonical)",
        ),
    )


# Cursors


@mutants("HTTP-36", "begins anew with a cursor that it does not know")
def unknown_cursors_begin_anew() -> None:
    edit(
        view._Showing,
        "_open_cursor",
        (
            'raise CursorError("the grant has changed since the cursor was given, or it is not ours")',
            "return 0",
        ),
    )


@mutants("HTTP-36", "seals the cursor of a page anew each time")
def fresh_cursors() -> None:
    knows(view, os=os)
    edit(
        view._Showing,
        "_seal_cursor",
        ("bound=self._asked_for()", "bound=self._asked_for(), nonce=os.urandom(24)"),
    )


@mutants("HTTP-36", "counts in a cursor how many records came before")
def cursors_count() -> None:
    edit(
        view._Showing, "page",
        ("after = 0 if selection.cursor is None else self._open_cursor(selection.cursor)", "skip = start = 0 if selection.cursor is None else self._open_cursor(selection.cursor)"),
        ("self._shown(after=after):", "self._shown(after=0):"),
        ("        if len(items) == selection.limit", "        if skip:\n            skip -= 1\n            continue\n        if len(items) == selection.limit"),
        ("self._seal_cursor(last)", "self._seal_cursor(start + len(items))"),
    )  # fmt: skip


@mutants("HTTP-36", "shows first what was changed last")
def newest_first() -> None:
    edit(
        view._Showing,
        "_candidates",
        ("yield from rows", "yield from sorted(rows, key=lambda row: -row.changed_us)"),
    )
