"""Which coding tools can meet in one compressed data unit, and why others cannot (clauses 6 to 10)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nnr_conformance.suite.corpus.covering import Constraints, Forbidden
from nnr_conformance.suite.coverage.tool_items import UNIT_TOOLS

EDITION_1 = "edition 1"
"""A setting of the stream, which tools of edition 2 exclude."""

_ONE_PAYLOAD = "A unit has one payload type, and its levels one way back to numbers."
_NO_CODEWORD = "Raw numbers have no codeword, to which this tool belongs."
_NO_BLOCK = "These vectors exist in blocks only, whose payload is of real numbers and has no mapping of dimensions."
_VECTORS = "The vectors of a block have no codebook: they are uniform beside it."
_ONE_DIMENSION = "A scaling vector outside of a block has one dimension."
_EDITION_2 = "A tool of edition 2."


def _each(reason: str, one: str, others: Sequence[str]) -> Iterator[Forbidden]:
    return (Forbidden(reason, on=(one, other)) for other in others)


def _forbidden() -> Iterator[Forbidden]:
    yield Forbidden(_ONE_PAYLOAD, off=("integer", "uniform", "codebook", "raw float"))
    yield from _each(_ONE_PAYLOAD, "integer", ("uniform", "codebook", "raw float"))
    yield from _each(_ONE_PAYLOAD, "raw float", ("uniform", "codebook"))
    yield Forbidden(
        "Outside of a block a tensor is either uniform or has a codebook.",
        on=("uniform", "codebook"),
        off=("local scaling", "batch norm", "bias"),
    )
    yield Forbidden(_ONE_PAYLOAD, on=("uniform", "codebook", "dimension mapping"))
    yield Forbidden(_VECTORS, on=("codebook", "local scaling"), off=("uniform", "dimension mapping"))
    for vector in ("batch norm", "bias"):
        yield Forbidden(_VECTORS, on=("codebook", vector), off=("uniform",))
        yield from _each(_NO_BLOCK, vector, ("integer", "raw float", "dimension mapping"))
    yield Forbidden(
        "Integers are not dequantized; dq_flag has no effect on them.", on=("integer", "dependent quantization")
    )
    yield from _each(
        _NO_CODEWORD,
        "raw float",
        (
            "dependent quantization",
            "block scan",
            "entry points",
            "row skip",
            "history contexts",
            "temporal contexts",
            "initialization ids",
        ),
    )
    yield Forbidden("Entry points are those of a block scan.", on=("entry points",), off=("block scan",))
    for tool in ("history contexts", "temporal contexts"):
        yield Forbidden("What came before is that of the parent of an update.", on=(tool,), off=("update",))
    yield Forbidden(
        "A shifted dimension is one of the weight; factors have two dimensions of their own.",
        on=("decomposition", "dimension shift"),
    )
    yield Forbidden("A unit of a factor holds one factor of one weight.", on=("decomposition", "dimension mapping"))
    for other in ("integer", "raw float", "dimension mapping"):
        for tool in ("block scan", "row skip", "history contexts", "decomposition", "dimension shift"):
            yield Forbidden(_ONE_DIMENSION, on=("local scaling", other, tool))
    yield from _each(
        _EDITION_2, EDITION_1, ("row skip", "history contexts", "temporal contexts", "dimension shift", "update")
    )


def tool_constraints() -> Constraints:
    """What a compressed data unit with some tools may not have; raw and integer units as well as others."""
    return Constraints((*UNIT_TOOLS, EDITION_1), tuple(_forbidden()))
