"""The HTTP API: one table of routes, one mapper of errors, one module for each resource; the owner's in ``owner``."""
