"""Small datasets that take RDFC-1.0 for ever, as quads and as documents."""

from __future__ import annotations

from freehold_protocol.blank_node import Quad
from freehold_protocol.encoding import Document, Json

P = "<urn:x:p>"
FIRST = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#first>"
REST = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#rest>"
NIL = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#nil>"
KNOWS = "https://example.org/knows"


def clique(nodes: int) -> set[Quad]:
    """Everyone knows everyone else."""
    every = range(nodes)
    return {(f"_:n{one}", P, f"_:n{other}", "") for one in every for other in every if one != other}


def stars(arms: int, *, stars: int = 2) -> set[Quad]:
    """Two centres, which nothing tells apart, and their arms."""
    return {(f"_:c{star}", P, f"_:a{star}x{arm}", "") for star in range(stars) for arm in range(arms)}


def bipartite(left: int, right: int) -> set[Quad]:
    """Everyone on the left knows everyone on the right."""
    return {(f"_:l{one}", P, f"_:r{other}", "") for one in range(left) for other in range(right)}


def cycle(nodes: int) -> set[Quad]:
    """Each knows the next."""
    return {(f"_:n{node}", P, f"_:n{(node + 1) % nodes}", "") for node in range(nodes)}


def repeated(graphs: int) -> set[Quad]:
    """Two who know each other, said again in graph after graph."""
    said = [("_:a", "_:b"), ("_:b", "_:a")]
    return {(one, P, other, f"_:g{graph}") for graph in range(graphs) for one, other in said}


def alike_in_a_list(items: int) -> set[Quad]:
    """A list whose items are nodes of which nothing is said."""
    made: set[Quad] = set()
    for item in range(items):
        after = f"_:c{item + 1}" if item + 1 < items else NIL
        made |= {(f"_:c{item}", FIRST, f"_:i{item}", ""), (f"_:c{item}", REST, after, "")}
    return made


def twin_trees(depth: int, branches: int) -> set[Quad]:
    """Two trees, each node of which has equal children."""

    def below(node: str, levels: int) -> set[Quad]:
        made: set[Quad] = set()
        for branch in range(branches if levels else 0):
            child = f"{node}x{branch}"
            made |= {(node, P, child, "")} | below(child, levels - 1)
        return made

    return below("_:a", depth) | below("_:b", depth)


def twin_stars_document(context: Json, arms: int = 40) -> Document:
    """A document of two nodes without ids, each with equal nodes below it; JSON-LD has no way to say a clique."""
    star: Document = {KNOWS: [{KNOWS: [{"id": "urn:x:end"}]} for _ in range(arms)]}
    return {"@context": context, "id": "urn:x:1", KNOWS: [star, star]}
