"""Expressions of declarations: evaluated, walked for names, and written as the syntax tables write them."""

from __future__ import annotations

import operator
import re
from typing import Any

import pytest
from construct import obj_, this
from hypothesis import given
from hypothesis import strategies as st

from nnr_conformance.expressions import Function, at, ceil_div, either, evaluate, linear, names, reading, render

numbers = st.integers(0, 20)
# Sums are drawn as tuples and made into expressions later: `construct` expressions cannot be printed by Hypothesis.
sums = st.recursive(
    st.sampled_from("abc"),
    lambda inner: st.tuples(inner, st.sampled_from("+-*"), inner | st.integers(1, 9)),
    max_leaves=8,
)
OPERATORS = {"+": operator.add, "-": operator.sub, "*": operator.mul}


def expression_of(drawn: Any) -> Any:
    if isinstance(drawn, tuple):
        left, symbol, right = drawn
        return OPERATORS[symbol](expression_of(left), expression_of(right))
    return this[drawn] if isinstance(drawn, str) else drawn


@given(sums, numbers, numbers, numbers)
def test_the_text_of_an_expression_has_its_value(drawn: Any, a: int, b: int, c: int) -> None:
    expression, scope = expression_of(drawn), {"a": a, "b": b, "c": c}
    assert eval(render(expression), {}, scope) == evaluate(expression, scope)
    assert names(expression) == set(re.findall("[abc]", render(expression)))


@given(sums, numbers, numbers, numbers)
def test_a_simplified_sum_has_the_same_value(drawn: Any, a: int, b: int, c: int) -> None:
    expression, scope = expression_of(drawn), {"a": a, "b": b, "c": c}
    assert eval(linear(expression), {}, scope) == evaluate(expression, scope)


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (this.x == 1, "x == 1"),
        (15 + 16 * this.flag, "15 + 16 * flag"),
        ((this.size >> 1) + this.offset, "(size >> 1) + offset"),
        ((this.a == 1) & (this.b != 3), "a == 1 && b != 3"),
        ((this.a == 1) & (this.b > 1) & (this.c < 2), "a == 1 && b > 1 && c < 2"),
        ((this.a == 1) | (this.b >= 3), "a == 1 || b >= 3"),
        (((this.a == 1) | (this.b == 1)) & (this.c == 1), "(a == 1 || b == 1) && c == 1"),
        ((this.mask & 3) != 0, "(mask & 3) != 0"),
        (this.a - (1 - this.b), "a - (1 - b)"),
        (-(this.a + 1), "-(a + 1)"),
        (obj_ <= 4, "value <= 4"),
        (either(this.a == 1, this.b == 2), "a == 1 || b == 2"),
        ((this.c == 3) & either(this.a == 1, this.b == 2), "c == 3 && (a == 1 || b == 2)"),
        (ceil_div(this.rows, 4 << this.order), "Ceil( rows / (4 << order) )"),
        (at(this.items, this.j), "items[j]"),
        (Function("Max", max, 0, this.n - 1), "Max( 0, n - 1 )"),
        (reading("map-count") == "plain", "reading map-count == plain"),
        (7, "7"),
    ],
)
def test_expressions_are_written_as_in_a_syntax_table(expression: Any, text: str) -> None:
    assert render(expression) == text


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (this.z + 1 + (this.n - 1 - this.z), "n"),
        (this.z - 1 - this.z + 1, "0"),
        (this.n + this.n - 3, "2 * n - 3"),
        (2 - this.n, "-n + 2"),
        (0 + this.count, "count"),
    ],
)
def test_sums_are_simplified(expression: Any, text: str) -> None:
    assert linear(expression) == text


def test_names_look_into_functions_and_readings_but_not_at_the_own_value() -> None:
    assert names(either(this.a == 1, ceil_div(this.b, -this.c) > this.d)) == {"a", "b", "c", "d"}
    assert names(reading("map-count") == "plain") == {"reading map-count"}
    assert names(obj_ > 0) == set()
    assert names(3) == set()


@given(st.integers(0, 1000), st.integers(1, 50))
def test_ceil_div_rounds_up(dividend: int, divisor: int) -> None:
    quotient = evaluate(ceil_div(this.a, this.b), {"a": dividend, "b": divisor})
    assert (quotient - 1) * divisor < dividend <= quotient * divisor


def test_either_needs_all_its_names() -> None:
    assert evaluate(either(this.a == 1, this.b == 1), {"a": 0, "b": 1}) is True
    assert evaluate(either(this.a == 1, this.b == 1), {"a": 0, "b": 0}) is False
    with pytest.raises(KeyError):
        evaluate(either(this.a == 1, this.b == 1), {"a": 1})
