"""The automaton that is found by asking the plain loop."""

from __future__ import annotations

from types import FunctionType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnr_conformance.entropy import engine as ac
from nnr_conformance.entropy import pair_loop, rows
from nnr_conformance.entropy.automaton import LARGEST_UNARY_LENGTH, weight_automaton
from nnr_conformance.entropy.binding import bound_decode_rows

Walk = tuple[list[int], list[int]]


def by_the_loop(bins: list[int], unary_length: int, dq: bool, weights: int) -> Walk:
    """Contexts asked for and quantized parameters of the plain loop, over an engine that answers with `bins`."""
    contexts: list[int] = []

    def answer(payload: Any, counters0: Any, counters1: Any, context: int, *registers: int) -> tuple[int, ...]:
        contexts.append(context)
        return bins[len(contexts) - 1], *registers

    namespace = dict(bound_decode_rows(all_tools=False, compiled=False).__globals__)
    namespace["decode_bin"] = namespace["decode_sign"] = answer
    for name in ("decode_magnitude", "decode_segment"):
        namespace[name] = FunctionType(namespace[name].__code__, namespace)
    coding = [0] * rows.CODING_CELLS
    coding[rows.UNARY], coding[rows.DQ] = unary_length, int(dq)
    coding[rows.LOWEST], coding[rows.HIGHEST] = rows.INT32_LOWEST, rows.INT32_HIGHEST
    quantized = [0] * weights
    segment = namespace["decode_segment"]
    segment((), [0] * ac.ENGINE_CELLS, (), (), coding, (), (), quantized, 0, weights)
    return contexts, quantized


def by_the_automaton(bins: list[int], unary_length: int, dq: bool) -> Walk:
    """The same along the edges, up to the first remainder or the last bin; the begun weight is left out."""
    edges = weight_automaton(unary_length, dq)
    word = edges[len(edges) - pair_loop.START_NODES]
    contexts, quantized = [], []
    for bin_value in bins:
        contexts.append((word >> pair_loop.CONTEXT & pair_loop.CONTEXT_MASK) // 2)
        word = edges[(word >> pair_loop.NODE & pair_loop.NODE_MASK) + bin_value]
        if word < 0:
            break
        if word >> pair_loop.FINISHED & 1:
            low = word & 0xFFFFFFFF
            quantized.append(low - (1 << 32) if low >> 31 else low)
    return contexts, quantized


@given(st.lists(st.integers(0, 1), max_size=200), st.sampled_from([1, 2, 5, 11, 64]), st.booleans())
def test_along_its_edges_are_the_contexts_and_parameters_of_the_plain_loop(
    bins: list[int], unary_length: int, dq: bool
) -> None:
    contexts, quantized = by_the_automaton(bins, unary_length, dq)
    # Zeros end the weight that was begun, and more of them are more weights.
    padded = bins[: len(contexts)] + [0] * 100
    loop_contexts, loop_quantized = by_the_loop(padded, unary_length, dq, len(quantized) + 1)
    assert loop_contexts[: len(contexts)] == contexts
    assert loop_quantized[: len(quantized)] == quantized


def test_equal_flags_are_one_node() -> None:
    # 24 significance flags, 24 signs, and for each of 8 states and 2 signs U greater-than flags.
    for unary_length in (1, 11, LARGEST_UNARY_LENGTH):
        edges = weight_automaton(unary_length, True)
        assert len(edges) == 2 * (24 + 24 + 16 * unary_length) + pair_loop.START_NODES


@pytest.mark.parametrize("dq", [False, True])
def test_the_longest_flags_fit_the_fields_of_an_edge(dq: bool) -> None:
    edges = weight_automaton(LARGEST_UNARY_LENGTH, dq)
    assert all(-(1 << 63) <= word < 1 << 63 for word in edges)
    nodes = (len(edges) - pair_loop.START_NODES) // 2
    assert 2 * nodes <= pair_loop.NODE_MASK
    reached = {word >> pair_loop.NODE & pair_loop.NODE_MASK for word in edges if word > 0}
    real = range(2 * pair_loop.START_NODES, 2 * nodes, 2)
    assert set(real) <= reached
