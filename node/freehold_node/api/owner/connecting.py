"""What a person does with a request that their browser carried: take it in, and go back with the decision.

Spec: specs/http.md#connect
"""

from __future__ import annotations

from freehold_protocol import form
from freehold_protocol.errors import MalformedError

from ..keys import INBOX
from ..operation import Answer, Asked, owned
from .deciding import request_told


@owned
async def take_in(asked: Asked) -> Answer:
    """Take in a request that the person's browser carried."""
    document = form.check_members(asked.body, required=("request",))["request"]
    if not isinstance(document, dict):
        raise MalformedError("request is a signed request: a JSON object")
    return Answer(document=request_told(await asked.app[INBOX].receive_connect(document)))


@owned
async def send_back(asked: Asked) -> Answer:
    """Say where the browser goes with the decision, with a new code."""
    form.check_members(asked.body, required=())
    return Answer(document={"returnTo": await asked.app[INBOX].send_back(asked.params["request"])})
