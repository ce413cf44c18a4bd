"""Mutation operators: the small faults that can be put at one node of the syntax tree, as text that replaces it.

An operator is a function from a node to the texts that may stand in its place. Expressions and statements have their
own operators; `places.py` says at which nodes they are asked. Replacing text keeps the lines of the source, so that a
fault is shown as the difference of two lines.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from itertools import pairwise

ARITHMETIC: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Add,),
    ast.FloorDiv: (ast.Mult,),
    ast.Mod: (ast.FloorDiv,),
    ast.Pow: (ast.Mult,),
}
BITS: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.LShift: (ast.RShift,),
    ast.RShift: (ast.LShift,),
    ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,),
    ast.BitXor: (ast.BitOr,),
}
BOUNDARIES: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
}
OPPOSITES: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.GtE,
    ast.LtE: ast.Gt,
    ast.Gt: ast.LtE,
    ast.GtE: ast.Lt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
OPPOSITE_FUNCTIONS = {"min": "max", "max": "min", "any": "all", "all": "any"}

SYMMETRIC = ("min", "max", "minimum", "maximum")
"""Functions whose arguments can change places."""

CONTEXT_ARGUMENTS = {
    "decode_bin": 3,
    "decode_sign": 3,
    "decode_bin_branchless": 3,
}
"""Functions that decode with a context variable, and the position of its index among their arguments."""

DECLARED_CHECKS = ("Bound",)
"""Parts of a declaration that take no bits and give no value, so that they can be left out."""

Faults = Iterator[tuple[str, str]]
"""Names of operators, each with the text that replaces the node."""


def expression_faults(node: ast.expr) -> Faults:
    """The faults at this node of an expression, not inside of it."""
    if isinstance(node, ast.BinOp):
        yield from _binary(node)
    elif isinstance(node, ast.UnaryOp):
        yield from _unary(node)
    elif isinstance(node, ast.Compare):
        yield from _comparison(node)
    elif isinstance(node, ast.BoolOp):
        yield from _boolean(node)
    elif isinstance(node, ast.Constant):
        yield from _constant(node)
    elif isinstance(node, ast.IfExp):
        yield from negated_condition(node.test, node, lambda fault, test: setattr(fault, "test", test))
    elif isinstance(node, ast.Call):
        yield from _call(node)
    elif isinstance(node, ast.Slice):
        yield from _slice(node)


def negated_condition(test: ast.expr, node: ast.expr, put: Callable[[ast.expr, ast.expr], None]) -> Faults:
    """Swap the branches of a conditional expression; a single comparison has its opposite as a fault of its own."""
    if not (isinstance(test, ast.Compare) and len(test.ops) == 1):
        fault = copy.deepcopy(node)
        put(fault, opposite(test))
        yield "negated_condition", text_of(fault)


def opposite(test: ast.expr) -> ast.expr:
    """A condition that holds where `test` does not."""
    return test.operand if is_not(test) and isinstance(test, ast.UnaryOp) else ast.UnaryOp(ast.Not(), test)


def is_not(test: ast.expr) -> bool:
    """True for ``not x``."""
    return isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)


def text_of(node: ast.expr) -> str:
    """The text of an expression that can stand anywhere."""
    text = ast.unparse(node)
    return text if isinstance(node, ast.Name | ast.Constant | ast.Call | ast.Slice) else f"({text})"


def is_text(node: ast.expr) -> bool:
    """True for strings, and for expressions that give one of several strings."""
    if isinstance(node, ast.IfExp):
        return is_text(node.body) or is_text(node.orelse)
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Add | ast.Mod) and (is_text(node.left) or is_text(node.right))
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def augmented(node: ast.AugAssign) -> Faults:
    """Faults of ``x += y``."""
    for name, table in (("arithmetic", ARITHMETIC), ("bit_operator", BITS)):
        for operator in table.get(type(node.op), ()):
            yield name, ast.unparse(ast.AugAssign(node.target, operator(), node.value))


def called_name(node: ast.Call) -> str:
    """The last name of what is called: ``read_bits`` of ``engine.read_bits(...)``."""
    function = node.func
    return (
        function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    )


def _binary(node: ast.BinOp) -> Faults:
    if is_text(node) or is_text(node.left):
        return
    for name, table in (("arithmetic", ARITHMETIC), ("bit_operator", BITS)):
        for operator in table.get(type(node.op), ()):
            yield name, text_of(ast.BinOp(node.left, operator(), node.right))


def _unary(node: ast.UnaryOp) -> Faults:
    if isinstance(node.op, ast.Not):
        yield "negated_condition", text_of(node.operand)
    elif isinstance(node.op, ast.USub):
        yield "arithmetic", text_of(node.operand)
    elif isinstance(node.op, ast.Invert):
        yield "bit_operator", text_of(node.operand)


def _comparison(node: ast.Compare) -> Faults:
    for index, operator in enumerate(node.ops):
        for name, found in (
            ("boundary", BOUNDARIES.get(type(operator))),
            ("comparison", OPPOSITES[type(operator)]),
        ):
            if found is not None:
                changed = [*node.ops[:index], found(), *node.ops[index + 1 :]]
                yield name, text_of(ast.Compare(node.left, changed, node.comparators))


def _boolean(node: ast.BoolOp) -> Faults:
    other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    yield "boolean", text_of(ast.BoolOp(other, node.values))
    for index in range(len(node.values)):
        left = [*node.values[:index], *node.values[index + 1 :]]
        yield "dropped_operand", text_of(left[0] if len(left) == 1 else ast.BoolOp(node.op, left))


def _constant(node: ast.Constant) -> Faults:
    number = node.value
    if isinstance(number, bool):
        yield "constant", repr(not number)
    elif isinstance(number, int):
        yield "constant", repr(number + 1)
        if number > 0:
            yield "constant", repr(number - 1)


def _call(node: ast.Call) -> Faults:
    name = called_name(node)
    arguments = node.args
    if isinstance(node.func, ast.Name) and name in OPPOSITE_FUNCTIONS:
        yield "opposite_function", ast.unparse(ast.Call(ast.Name(OPPOSITE_FUNCTIONS[name]), arguments, node.keywords))
    if name == "range":
        for index, argument in enumerate(arguments[:2]):
            if not isinstance(argument, ast.Constant):
                yield from _nudged("off_by_one", node, index)
    position = CONTEXT_ARGUMENTS.get(name)
    if position is not None and position < len(arguments):
        yield from _nudged("context_index", node, position)
    for index, (first, second) in enumerate(pairwise(arguments)):
        if name not in SYMMETRIC and _of_equal_kind(first, second):
            swapped = [*arguments[:index], second, first, *arguments[index + 2 :]]
            yield "swapped_arguments", ast.unparse(ast.Call(node.func, swapped, node.keywords))
    for keyword in node.keywords:
        if keyword.arg == "must":
            kept = [other for other in node.keywords if other is not keyword]
            yield "dropped_check", ast.unparse(ast.Call(node.func, arguments, kept))
    for index, argument in enumerate(arguments):
        if isinstance(argument, ast.Call) and called_name(argument) in DECLARED_CHECKS:
            kept_arguments = [*arguments[:index], *arguments[index + 1 :]]
            yield "dropped_check", ast.unparse(ast.Call(node.func, kept_arguments, node.keywords))


def _nudged(name: str, node: ast.Call, index: int) -> Faults:
    for operator in (ast.Add(), ast.Sub()):
        arguments = [*node.args]
        arguments[index] = ast.BinOp(arguments[index], operator, ast.Constant(1))
        yield name, ast.unparse(ast.Call(node.func, arguments, node.keywords))


def _of_equal_kind(first: ast.expr, second: ast.expr) -> bool:
    """Two names, two attributes or two elements of arrays, that are not the same."""
    kinds = (ast.Name, ast.Attribute, ast.Subscript)
    return isinstance(first, kinds) and type(first) is type(second) and ast.unparse(first) != ast.unparse(second)


def _slice(node: ast.Slice) -> Faults:
    """Bounds that are not constants; those that are have their own faults."""
    for operator in (ast.Add(), ast.Sub()):
        if node.lower is not None and not isinstance(node.lower, ast.Constant):
            lower = ast.BinOp(node.lower, operator, ast.Constant(1))
            yield "off_by_one", ast.unparse(ast.Slice(lower, node.upper, node.step))
        if node.upper is not None and not isinstance(node.upper, ast.Constant):
            upper = ast.BinOp(node.upper, operator, ast.Constant(1))
            yield "off_by_one", ast.unparse(ast.Slice(node.lower, upper, node.step))
