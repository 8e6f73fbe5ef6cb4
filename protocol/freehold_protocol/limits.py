"""Every number the protocol fixes, each with its reason.

Spec: specs/limits.md
"""

from __future__ import annotations

from typing import Final

# Documents
MAX_DOCUMENT_BYTES: Final = 256 * 1024
"""A request or a record; a contact with a small photo fits, a film does not."""
MAX_DEPTH: Final = 64
"""JSON nesting; schema.org records stay under 10, and a parser's stack under its limit."""
MAX_MEMBERS: Final = 20_000
"""Object members and array items of one document together, so that its cost is bounded by more than bytes."""
MAX_TEXT: Final = 2_000
"""Characters of one text that a person has to read before deciding."""

# DID documents
MAX_DID_DOCUMENT_BYTES: Final = 64 * 1024
"""One of a dozen keys and services has under 8 KiB."""
DID_PAUSE_S: Final = 120
"""For which a host that a document could not be had from is left alone, so that nobody probes through a node."""
MAX_DID_METHODS: Final = 64
MAX_DID_KEYS: Final = 64
"""Keys listed, counted once for each use: what of a document is kept is looked at in every read."""

# Proofs
MAX_PROOFS: Final = 8
"""Of one document, sets and chains; a grant whose key changed has two."""
MAX_CANONICAL_STEPS: Final = 12_000
"""To tell the blank nodes of a dataset apart; the heaviest published case takes 8,900, a clique of six 120,000."""
MAX_CANONICAL_DEPTH: Final = 150
"""Blank nodes in a row that are looked along; a stack's limit, not a clock's."""

# Contexts
MAX_CONTEXT_BYTES: Final = 512 * 1024
"""Of one context that a person or a vendor adds; all of schema.org has 210 KB."""
MAX_ADDED_CONTEXTS: Final = 64

# Requests and grants
MAX_PERMISSIONS: Final = 16
"""More cannot be weighed on one screen."""
MAX_ITEMS: Final = 16
MAX_FIELDS: Final = 64
MAX_RECIPIENTS: Final = 32
MAX_GRANT_DAYS: Final = 3660
"""Every grant ends; ten years is already a life's mortgage."""
MAX_ORIGINS: Final = 4

# Connect
MAX_RETURN_CHARS: Final = 300
"""Of the page to which a browser is sent back; with what is added it stays under what any browser takes."""
RETURN_CODE_S: Final = 600
"""For which a code that a browser carries is good; the way back takes seconds, and the person can have a new one."""

# Capabilities
MAX_CHAIN_LINKS: Final = 10
"""Root and leaf included, as deployed ZCAP verifiers count."""
MAX_CAPABILITY_WIRE_BYTES: Final = 8 * 1024
"""Compressed and encoded, as it stands in the header; also the usual bound of one HTTP field."""
MAX_CAPABILITY_BYTES: Final = 64 * 1024
"""Inflated."""
CAPABILITY_DAYS: Final = 7
"""Lifetime of what a node issues; the vendor renews from the grant as it stands."""
MAX_CAPABILITY_DAYS: Final = 90
MAX_LINKS_OF_A_PARTNER: Final = 200
"""Links in use under one grant that lead through one partner, so that nobody fills a person's store with them."""
MAX_TARGET_CHARS: Final = 1_000
MAX_CAVEATS: Final = 8
"""Of one link: two of every kind, and a graph that is canonicalized in no time."""

# HTTP message signatures
MAX_SIGNATURE_LIFETIME_S: Final = 600
"""expires - created; deployed clients sign for exactly this long."""
CLOCK_SKEW_S: Final = 60
"""Allowed between a signer's clock and the node's, for signatures only, never for what the node issued."""
MAX_NONCE_CHARS: Final = 64
MIN_NONCE_CHARS: Final = 16
"""About 96 bits in base64url, so that two honest requests never collide."""
MAX_AUTHORIZATION_CHARS: Final = 1_024
"""Of the header in which deployed ZCAP clients sign; they write about 400."""

# Reading
MAX_PAGE: Final = 100
DEFAULT_PAGE: Final = 50
MAX_QUERY_CHARS: Final = 4_096
MAX_LEDGER_PAGE: Final = 500
MAX_WAIT_S: Final = 30
"""``Prefer: wait=`` is cut to this."""

# Events
EVENT_JITTER_S: Final = 300
"""A change of the records is told after a random part of this, so that vendors cannot match it by its time."""
EVENT_KEEPALIVE_S: Final = 15
"""A stream on which nothing was sent for so long is sent a comment; a client gives up after three times this."""
EVENT_STREAM_S: Final = 3600
"""A stream lives no longer; the client opens the next with a new signature."""
MAX_EVENT_BYTES: Final = 1024
MAX_HOLDER_STREAMS: Final = 4
"""Open at the same time by one holder of one grant."""
MAX_GRANT_STREAMS: Final = 16

# Ledger
SALT_BYTES: Final = 32
HASH_BYTES: Final = 32
