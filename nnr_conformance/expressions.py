"""Expressions of the declarations: evaluated on a scope, and written as the syntax tables write them.

`construct`'s own expressions (`this.scan_order > 0`) serve for names and operators; functions of the standard that it
does not have are added here.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from construct import this
from construct.expr import BinExpr, ExprMixin, Path, UniExpr

Expression = Any
"""An expression of `construct`, a `Function`, or a plain value."""

_SYMBOLS = {
    operator.add: "+",
    operator.sub: "-",
    operator.mul: "*",
    operator.floordiv: "/",
    operator.mod: "%",
    operator.lshift: "<<",
    operator.rshift: ">>",
    operator.eq: "==",
    operator.ne: "!=",
    operator.lt: "<",
    operator.le: "<=",
    operator.gt: ">",
    operator.ge: ">=",
}
_COMPARISONS = (operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge)


class Function(ExprMixin):
    """A function of the standard applied to expressions, such as ``Ceil( rows / 8 )``."""

    def __init__(self, name: str, function: Callable[..., Any], *arguments: Expression) -> None:
        self.name = name
        self.function = function
        self.arguments = arguments

    def __call__(self, scope: Any, *_: Any) -> Any:
        return self.function(*(evaluate(argument, scope) for argument in self.arguments))


def evaluate(expression: Expression, scope: Any) -> Any:
    """The value of an expression, or the plain value itself."""
    return expression(scope) if callable(expression) else expression


def reading(name: str) -> Expression:
    """The chosen name of a reading, to be compared with one of its names."""
    return this[f"reading {name}"]


def either(*conditions: Expression) -> Function:
    """True when one of the conditions is; all their names must have values."""
    return Function("either", lambda *holds: any(holds), *conditions)


def ceil_div(dividend: Expression, divisor: Expression) -> Function:
    """Quotient rounded up."""
    return Function("Ceil", lambda a, b: -(-a // b), dividend, divisor)


def at(items: Expression, index: Expression) -> Function:
    """Element `index` of a list."""
    return Function("at", lambda sequence, position: sequence[position], items, index)


def names(expression: Expression) -> set[str]:
    """The names of syntax elements and variables that an expression looks at."""
    if isinstance(expression, Path):
        found = expression.__getfield__()
        return set() if found is None else {found}
    if isinstance(expression, BinExpr):
        return names(expression.lhs) | names(expression.rhs)
    if isinstance(expression, UniExpr):
        return names(expression.operand)
    if isinstance(expression, Function):
        return set().union(*(names(argument) for argument in expression.arguments))
    return set()


def render(expression: Expression) -> str:
    """The expression as text in the style of a syntax table."""
    if isinstance(expression, Path):
        found = expression.__getfield__()
        return "value" if found is None else str(found)
    if isinstance(expression, BinExpr):
        return _render_binary(expression)
    if isinstance(expression, UniExpr):
        return f"-{_operand(expression.operand)}"
    if isinstance(expression, Function):
        return _render_function(expression)
    return str(expression)


def _render_binary(expression: BinExpr) -> str:
    logical = {operator.and_: "&&", operator.or_: "||"}.get(expression.op)
    if logical is not None and _is_condition(expression.lhs):
        symbol = logical
    else:
        symbol = {operator.and_: "&", operator.or_: "|"}.get(expression.op) or _SYMBOLS[expression.op]
    return f"{_operand(expression.lhs)} {symbol} {_operand(expression.rhs)}"


def _render_function(expression: Function) -> str:
    if expression.name == "either":
        return " || ".join(_operand(argument) for argument in expression.arguments)
    if expression.name == "Ceil":
        return f"Ceil( {' / '.join(_operand(argument) for argument in expression.arguments)} )"
    if expression.name == "at":
        items, index = (render(argument) for argument in expression.arguments)
        return f"{items}[{index}]"
    return f"{expression.name}( {', '.join(render(argument) for argument in expression.arguments)} )"


def _operand(expression: Expression) -> str:
    text = render(expression)
    return f"({text})" if isinstance(expression, BinExpr) and not _is_condition(expression) else text


def _is_condition(expression: Expression) -> bool:
    return isinstance(expression, BinExpr) and expression.op in _COMPARISONS
