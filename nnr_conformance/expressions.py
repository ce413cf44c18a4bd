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

SYMBOLS = {
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
    operator.and_: "&",
    operator.or_: "|",
}
_LOGICAL = {operator.and_: "&&", operator.or_: "||"}
_PRECEDENCE = (
    (operator.mul, operator.floordiv, operator.mod),
    (operator.add, operator.sub),
    (operator.lshift, operator.rshift),
    (operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne),
    (operator.and_,),
    (operator.or_,),
)
"""Operators from the one that binds first to the one that binds last, as in the language C."""

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


def prepared(expression: Expression) -> Callable[[Any], Any]:
    """`evaluate` for one expression whose shape is looked at once, here, and not each time that it is evaluated."""
    if isinstance(expression, Path):
        found = expression.__getfield__()
        return operator.itemgetter(found) if repr(expression) == f"this[{found!r}]" else expression
    if isinstance(expression, BinExpr):
        return _prepared_binary(expression)
    if isinstance(expression, Function):
        function, arguments = expression.function, tuple(prepared(argument) for argument in expression.arguments)
        return lambda scope: function(*[argument(scope) for argument in arguments])
    return expression if callable(expression) else lambda _: expression


def _prepared_binary(expression: BinExpr) -> Callable[[Any], Any]:
    combine, left, right = expression.op, prepared(expression.lhs), prepared(expression.rhs)
    if callable(expression.rhs):
        return lambda scope: combine(left(scope), right(scope))
    constant = expression.rhs
    if isinstance(left, operator.itemgetter):
        name = expression.lhs.__getfield__()
        return lambda scope: combine(scope[name], constant)
    return lambda scope: combine(left(scope), constant)


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


def linear(expression: Expression) -> str:
    """A sum as text, with equal terms cancelled and constants joined: ``a + 1 + b - 1 - a`` is ``b``."""
    terms: dict[str, int] = {}
    _add_terms(expression, 1, terms)
    constant = terms.pop("", 0)
    signed = [(term, factor) for term, factor in terms.items() if factor]
    if constant or not signed:
        signed.append((str(abs(constant)), -1 if constant < 0 else 1))
    text = ""
    for term, factor in signed:
        product = term if abs(factor) == 1 else f"{abs(factor)} * {term}"
        sign = "-" if factor < 0 else "+"
        text = f"{text} {sign} {product}" if text else product if factor > 0 else f"-{product}"
    return text


def _add_terms(expression: Expression, factor: int, terms: dict[str, int]) -> None:
    if isinstance(expression, BinExpr) and expression.op in (operator.add, operator.sub):
        _add_terms(expression.lhs, factor, terms)
        _add_terms(expression.rhs, factor if expression.op is operator.add else -factor, terms)
    elif isinstance(expression, int):
        terms[""] = terms.get("", 0) + factor * expression
    else:
        text = _operand(expression, 0)
        terms[text] = terms.get(text, 0) + factor


def render(expression: Expression) -> str:
    """The expression as text in the style of a syntax table."""
    if isinstance(expression, Path):
        found = expression.__getfield__()
        return "value" if found is None else str(found)
    if isinstance(expression, BinExpr):
        return _render_binary(expression)
    if isinstance(expression, UniExpr):
        return f"-{_operand(expression.operand, -1)}"
    if isinstance(expression, Function):
        return _render_function(expression)
    return str(expression)


def _render_binary(expression: BinExpr) -> str:
    logical = expression.op in _LOGICAL and _is_condition(expression.lhs)
    symbol = _LOGICAL[expression.op] if logical else SYMBOLS[expression.op]
    rank = _rank(expression)
    left = _operand(expression.lhs, rank)
    right = _operand(expression.rhs, rank if expression.op in (operator.add, operator.mul) else rank - 1)
    return f"{left} {symbol} {right}"


def _render_function(expression: Function) -> str:
    if expression.name == "either":
        return " || ".join(_operand(argument, len(_PRECEDENCE) - 1) for argument in expression.arguments)
    if expression.name == "Ceil":
        return f"Ceil( {' / '.join(_operand(argument, 0) for argument in expression.arguments)} )"
    if expression.name == "at":
        items, index = (render(argument) for argument in expression.arguments)
        return f"{items}[{index}]"
    return f"{expression.name}( {', '.join(render(argument) for argument in expression.arguments)} )"


def _operand(expression: Expression, rank: int) -> str:
    """An operand of an operator of this precedence, in parentheses when it binds later."""
    text = render(expression)
    alternatives = isinstance(expression, Function) and expression.name == "either" and rank < len(_PRECEDENCE) - 1
    return f"({text})" if alternatives or (isinstance(expression, BinExpr) and _rank(expression) > rank) else text


def _rank(expression: BinExpr) -> int:
    return next(rank for rank, operators in enumerate(_PRECEDENCE) if expression.op in operators)


def _is_condition(expression: Expression) -> bool:
    """True for a comparison and for what joins comparisons, so that ``&`` on it is a logical and."""
    if not isinstance(expression, BinExpr):
        return False
    return expression.op in _COMPARISONS or (expression.op in _LOGICAL and _is_condition(expression.lhs))
