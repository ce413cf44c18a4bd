"""Expressions of the declarations as trees of JSON values (clause 6 notation), and the functions that these call.

A tree is a constant, or an object with one of the keys `name`, `defined`, `reading`, `own`, `op` and `call`;
docs/export.md says what each means.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any

from construct.expr import BinExpr, Path

from nnr_conformance.expressions import SYMBOLS, Expression, Function
from nnr_conformance.syntax.enumerations import CPT_DC, PT_BLOCK

Tree = Any
"""JSON values."""

_READING = "reading "
"""Before the id of a reading in the name under which a declaration sees it."""

_LOGICAL = {operator.and_: "&&", operator.or_: "||"}
"""Operators that join conditions: on integers they work bit by bit, which trees write as `&` and `|`."""

_CONDITIONS = frozenset({"==", "!=", "<", "<=", ">", ">=", "&&", "||"})

PRIMITIVES = {"either": "||", "Max": "max", "at": "at", "Count": "length"}
"""Functions of declarations that are operators of the trees."""


def expression_tree(expression: Expression) -> Tree:
    """The tree of an expression of a declaration. Raises TypeError for one that trees cannot say."""
    if isinstance(expression, bool | int | str):
        return expression
    if isinstance(expression, Path):
        return _name(expression)
    if isinstance(expression, BinExpr):
        left, right = expression_tree(expression.lhs), expression_tree(expression.rhs)
        logical = expression.op in _LOGICAL and isinstance(left, dict) and left.get("op") in _CONDITIONS
        return op(_LOGICAL[expression.op] if logical else SYMBOLS[expression.op], left, right)
    if isinstance(expression, Function):
        arguments = [expression_tree(argument) for argument in expression.arguments]
        if expression.name in PRIMITIVES:
            return op(PRIMITIVES[expression.name], *arguments)
        if expression.name in FUNCTIONS:
            return call(expression.name, *arguments)
    raise TypeError(f"{expression!r} has no tree")


def _name(path: Path) -> Tree:
    found = path.__getfield__()
    if found is None:
        return {"own": True}
    if repr(path) != f"this[{found!r}]":
        raise TypeError(f"{path!r} has no tree")
    return {"reading": found.removeprefix(_READING)} if found.startswith(_READING) else name(found)


def name(element: str, default: Tree = None) -> Tree:
    """The value of an element or variable; `default`: where it has none."""
    return {"name": element} if default is None else {"name": element, "default": default}


def op(symbol: str, *operands: Tree) -> Tree:
    """An operator applied to trees."""
    return {"op": symbol, "of": list(operands)}


def call(function: str, *arguments: Tree) -> Tree:
    """A function of `FUNCTIONS` applied to trees."""
    return {"call": function, "of": list(arguments)}


def choose(condition: Tree, then: Tree, otherwise: Tree) -> Tree:
    """One of two trees, of which the other one is not evaluated."""
    return op("?:", condition, then, otherwise)


def function(*parameters: str, value: Tree) -> Mapping[str, Tree]:
    """A function by its parameters, which are the only names that its tree sees."""
    return {"parameters": list(parameters), "value": value}


def _is_decomposed(types: Tree) -> Tree:
    return op("!=", op("&", types, CPT_DC), 0)


_OF_G = call("Entries", name("g_rows"), name("rank"), name("scan_order"), name("narrow"))
_OF_H = call(
    "Entries",
    name("rank"),
    op("/", op("product", name("dimensions")), op("max", name("g_rows"), 1)),
    name("scan_order"),
    name("narrow"),
)
_OF_WHOLE = call(
    "Entries",
    name("rows"),
    op("/", op("product", name("dimensions")), op("max", name("rows"), 1)),
    name("scan_order"),
    name("narrow"),
)

FUNCTIONS: Mapping[str, Mapping[str, Tree]] = {
    "Referenced": function(
        "reference_list",
        "index",
        value=choose(
            op("<", name("index"), op("length", name("reference_list"))),
            op("at", name("reference_list"), name("index")),
            "",
        ),
    ),
    "Records": function(
        "chosen",
        "count",
        value=op("max", 0, choose(op("==", name("chosen"), "minus-one"), op("-", name("count"), 1), name("count"))),
    ),
    "FirstDimension": function(
        "dimensions",
        "shift",
        "chosen",
        value=op(
            "at",
            name("dimensions"),
            choose(
                op(
                    "&&",
                    op("==", name("chosen"), "move-to-front"),
                    op("<", name("shift"), op("length", name("dimensions"))),
                ),
                name("shift"),
                0,
            ),
        ),
    ),
    "HoldsH": function(
        "element",
        "g_pending",
        value=op(
            "||",
            op("ends with", name("element"), "_H"),
            op("&&", op("!=", name("g_pending"), 0), op("!", op("ends with", name("element"), "_G"))),
        ),
    ),
    "Entries": function(
        "height",
        "width",
        "scan_order",
        "narrow",
        value=choose(
            op(
                "&&",
                op("==", name("narrow"), "absent"),
                op("||", op("==", name("height"), 1), op("==", name("width"), 1)),
            ),
            0,
            op(
                "max",
                0,
                op(
                    "-",
                    op(
                        "/",
                        op("-", op("+", name("height"), op("<<", 4, name("scan_order"))), 1),
                        op("<<", 4, name("scan_order")),
                    ),
                    1,
                ),
            ),
        ),
    ),
    "NumBlockRowsMinus1": function(
        "scan_order",
        "payload_type",
        "types",
        "rows",
        "g_rows",
        "rank",
        "element",
        "g_pending",
        "dimensions",
        "narrow",
        value=choose(
            op("!", _is_decomposed(name("types"))),
            _OF_WHOLE,
            choose(
                op("==", name("payload_type"), PT_BLOCK),
                op("+", _OF_G, _OF_H),
                choose(call("HoldsH", name("element"), name("g_pending")), _OF_H, _OF_G),
            ),
        ),
    ),
}
"""What the functions of the declarations compute; the tests compare them with those that the parser calls."""
