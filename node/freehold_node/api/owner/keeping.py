"""The owner's operations about all of it: taking it along, and removing the sample.

Spec: specs/http.md#owner
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from freehold_protocol import form

from ...export import Exports
from ..keys import EXPORTS, SAMPLES
from ..operation import Answer, Asked, Download, owned


@owned
async def export_all(asked: Asked) -> Answer:
    """Give everything that the node holds about the person, piece by piece."""
    form.check_members(asked.body, required=(), optional=("passphrase",))
    await asked.prove()
    return Answer(download=_export(asked.app[EXPORTS]))


@asynccontextmanager
async def _export(exports: Exports) -> AsyncIterator[Download]:
    pieces = await exports.begin()
    yield Download(content_type="application/zip", size=None, pieces=pieces)


@owned
async def show_sample(asked: Asked) -> Answer:
    """Show what there is of the sample."""
    return Answer(document=await asked.app[SAMPLES].told())


@owned
async def remove_sample(asked: Asked) -> Answer:
    """Erase the sample, and nothing else."""
    form.check_members(asked.body, required=())
    return Answer(document=await asked.app[SAMPLES].remove())
