"""The node: the daemon that holds one person's records. The only package with IO and state."""
