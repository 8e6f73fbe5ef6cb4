"""Two small vendors for trying things out on one machine: a shop that asks, and a courier it delegates to.

They listen on loopback only, use nothing but the public library, and keep what they read nowhere. To programs they
speak JSON; to people they show pages, under ``/shop`` and ``/courier``: another company's site than the person's node.
"""
