"""Black-box checks of any node by its URL; imports no node's code.

So far: what can be asked of a node without a grant. Checks under a grant need a way to drive the owner, and come
with the conformance suite proper.
"""
