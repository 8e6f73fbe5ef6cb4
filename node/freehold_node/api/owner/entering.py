"""The owner's operation that leads into the dashboard.

It takes no passphrase: who may ask for it holds the session key of the running node, and with that sees, pauses and
ends everything already. The session that a link opens lets a person do the same and no more, since nothing is proved
in it; and it stands in the list of sessions, where it can be ended.

Spec: specs/http.md#owner
"""

from __future__ import annotations

from freehold_protocol import form
from freehold_protocol.encoding import format_time

from ...devices import LINK_US
from ..keys import LINKS
from ..operation import Answer, Asked, owned

_US = 1_000_000


@owned
async def make_link(asked: Asked) -> Answer:
    """Make a one-time link into the dashboard."""
    form.check_members(asked.body, required=())
    url, made_us = asked.app[LINKS]()
    return Answer(document={"url": url, "expires": format_time((made_us + LINK_US) // _US)}, status=201)
