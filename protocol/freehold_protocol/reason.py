"""A sentence that says why, and what it was made of, so that somebody else can say it in another language.

Spec: specs/node/imports.md#reasons
"""

from __future__ import annotations

from collections.abc import Mapping


class Reason(str):
    """A text in English; ``code`` names the kind of sentence, ``told`` is what stands in its places.

    A value in ``told`` is a text, a number, another reason, or a tuple of reasons. An error whose text is a reason
    is raised with it as its one argument.
    """

    __slots__ = ("code", "told")

    code: str
    told: Mapping[str, object]

    @classmethod
    def made(cls, code: str, text: str, told: Mapping[str, object]) -> Reason:
        """Return the reason of a code.

        Args:
            code: As a registry has it.
            text: English, with the places in braces.
            told: What stands in them.
        """
        reason = cls(text.format_map({name: _plain(value) for name, value in told.items()}))
        reason.code, reason.told = code, told
        return reason

    @staticmethod
    def of(error: BaseException) -> Reason | None:
        """Return why an error was raised, if it says so in this way."""
        why = error.args[0] if error.args else None
        return why if isinstance(why, Reason) else None


def _plain(value: object) -> object:
    return "; ".join(map(str, value)) if isinstance(value, tuple) else value
