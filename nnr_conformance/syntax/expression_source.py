"""Expressions of the declarations as Python source, with what is known beforehand folded into it.

Used by `syntax.specialised` alone: what an expression means is in `expressions`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from construct.expr import BinExpr, Path

from nnr_conformance.expressions import SYMBOLS, Expression, Function

_OPERATORS = {**SYMBOLS, operator.floordiv: "//"}
"""As Python writes them; the standard's division of integers is another one there."""
_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})


class NotSpecialised(Exception):
    """A declaration uses something that is left to the plain parser."""


@dataclass(frozen=True, slots=True)
class Folded:
    """An expression as source: `text`; `known` when its value is `value` whatever the stream says.

    `truth`: the value is True or False.
    """

    text: str
    known: bool = False
    value: Any = None
    truth: bool = False


def constant(value: Any) -> Folded:
    """A known value."""
    return Folded(repr(value), True, value, isinstance(value, bool))


@dataclass(frozen=True, slots=True)
class ExpressionWriter:
    """Writes expressions where these names are `known`, and others are `local` variables or looked up in ``names``.

    `bind`: gives a function a name in the source.
    """

    known: Mapping[str, Any]
    local: frozenset[str] | set[str]
    bind: Callable[[Any], str]

    def write(self, expression: Expression, own: str = "") -> Folded:
        """The source of an expression; `own`: the variable that an element's own value is in.

        Raises NotSpecialised.
        """
        if isinstance(expression, Path):
            return self._name(expression, own)
        if isinstance(expression, BinExpr):
            return self._binary(expression, own)
        if isinstance(expression, Function):
            return self._function(expression, own)
        if callable(expression):
            raise NotSpecialised(repr(expression))
        return constant(expression)

    def _name(self, path: Path, own: str) -> Folded:
        name = path.__getfield__()
        if name is None:
            return Folded(own)
        if repr(path) != f"this[{name!r}]":
            raise NotSpecialised(repr(path))
        if name in self.known:
            return constant(self.known[name])
        return Folded(variable(name) if name in self.local else f"names[{name!r}]")

    def _binary(self, expression: BinExpr, own: str) -> Folded:
        symbol = _OPERATORS.get(expression.op)
        if symbol is None:
            raise NotSpecialised(repr(expression))
        left, right = self.write(expression.lhs, own), self.write(expression.rhs, own)
        if left.known and right.known:
            return constant(expression.op(left.value, right.value))
        if symbol in "&|" and left.truth and right.truth:
            return _joined([left, right], "and" if symbol == "&" else "or")
        return Folded(f"({left.text} {symbol} {right.text})", truth=symbol in _COMPARISONS)

    def _function(self, expression: Function, own: str) -> Folded:
        arguments = [self.write(argument, own) for argument in expression.arguments]
        if all(argument.known for argument in arguments):
            return constant(expression.function(*(argument.value for argument in arguments)))
        if expression.name == "either" and all(argument.truth for argument in arguments):
            return _joined(arguments, "or")
        name = self.bind(expression.function)
        return Folded(f"{name}({', '.join(argument.text for argument in arguments)})")


def _joined(conditions: list[Folded], word: str) -> Folded:
    """Conditions joined by ``and`` or ``or``; those that are known decide, or are left out."""
    decides = word == "or"
    if any(one.known and one.value is decides for one in conditions):
        return constant(decides)
    left = [one.text for one in conditions if not one.known]
    return Folded(f"({f' {word} '.join(left)})", truth=True) if left else constant(not decides)


def variable(name: str) -> str:
    """The local variable that holds the value of a name."""
    return f"v_{name}"
