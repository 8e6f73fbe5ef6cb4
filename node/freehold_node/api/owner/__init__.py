"""The owner's own operations: the CLI and the dashboard use these, and nothing else does more.

What they are about: the node itself (``tending``, ``moving``, ``keeping``), records (``importing``, ``recording``),
requests (``deciding``, ``connecting``), grants (``granting``, ``revoking``, ``accounting``), all grants at once
(``looking``), and the way in (``entering``, ``devices``, ``custody``).

Spec: specs/http.md#owner
"""
