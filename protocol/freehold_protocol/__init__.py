"""Freehold's protocol, without IO: bytes and documents in, values and verdicts out.

Time, randomness and keys are arguments; nothing is fetched. Import the modules, one for each topic of ``specs/``.
"""
