"""The suite's own making and judging of bytes, written from the specification alone.

A judge that used the library on which a node is built would make the node's mistakes with it. So nothing here
imports ``freehold_protocol``; what is made here may also be wrong on purpose, which a library would refuse.
"""
