"""Annex A: NNEF; identifiers are labels of variables, the topology is the text of the graph.

Only declarations of variables are looked at: ``w = variable<scalar>(shape = [4, 3], label = 'conv/w');``
"""

from __future__ import annotations

import re

# Bounded, so that a text of half declarations takes linear time.
_VARIABLE = re.compile(r"\b(\w{1,200})\s{0,80}=\s{0,80}variable\s{0,80}(?:<[^<>]{0,40}>)?\s{0,80}\(([^()]{0,4000})\)")
_LABEL = re.compile(r"\blabel\s{0,80}=\s{0,80}(?:\"([^\"]*)\"|'([^']*)')")
_SHAPE = re.compile(r"\bshape\s{0,80}=\s{0,80}\[([\d\s,]*)\]")
_WORD = re.compile(r"\b[A-Za-z_]\w*")
_COMMENT = re.compile(r"#[^\n]*")
_QUANTIZED = re.compile(r"\s*(?:\"([^\"]*)\"|'([^']*)')\s*:")
_MOST_DIGITS = 18


def variable_shapes(graph: str) -> dict[str, tuple[int, ...] | None]:
    """The shapes of the variables of a graph by label, None where the text does not say it in plain numbers."""
    found: dict[str, tuple[int, ...] | None] = {}
    for declaration in _VARIABLE.finditer(_COMMENT.sub("", graph)):
        label = _LABEL.search(declaration[2])
        if label is not None:
            shape = _SHAPE.search(declaration[2])
            found[label[1] or label[2] or ""] = None if shape is None else _numbers(shape[1])
    return found


def identifiers(graph: str) -> frozenset[str]:
    """Names that the text of the graph gives to tensors: all that is on the left of an equals sign in its place."""
    statements = (one.partition("=")[0] for one in _COMMENT.sub("", graph).split(";"))
    return frozenset(name for left in statements for name in _WORD.findall(left))


def quantized_labels(quantization: str) -> list[str]:
    """The labels for which a quantization file has a line, in its order."""
    found = map(_QUANTIZED.match, _COMMENT.sub("", quantization).splitlines())
    return [one[1] or one[2] or "" for one in found if one is not None]


def without_leading_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape without first dimensions of 1."""
    first = next((at for at, size in enumerate(shape) if size != 1), len(shape))
    return shape[first:]


def _numbers(text: str) -> tuple[int, ...] | None:
    sizes = [one.strip() for one in text.split(",") if one.strip()]
    return tuple(map(int, sizes)) if all(one.isdecimal() and len(one) <= _MOST_DIGITS for one in sizes) else None
