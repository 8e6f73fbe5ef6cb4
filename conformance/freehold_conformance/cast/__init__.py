"""Who plays in a check: the owner, vendors and partners, each with keys of their own, over the wire alone."""
