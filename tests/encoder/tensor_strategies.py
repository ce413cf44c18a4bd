"""Random tensors with all tools, as the form of the specification takes them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from nnr_conformance.encoder.tensor_data import TensorData

MAGNITUDES = (
    st.just(0),
    st.integers(-1, 1),
    st.integers(-12, 12),
    st.integers(-5000, 5000),
    st.integers(-(2**31), 2**31 - 1),
)
NAMES = [("sig", 1), ("sig base", 0), ("sig history", 0), ("sign", 2), ("sign base", 1), ("greater", 0)]
NAMES += [("greater", 3), ("greater base", 2), ("prefix", 0), ("prefix", 5)]


@st.composite
def tensors(draw: st.DrawFn, largest: int = 21) -> TensorData:
    height, width = draw(st.integers(1, largest)), draw(st.integers(1, largest))
    count = height * width
    edition = draw(st.integers(1, 2))
    more: dict[str, Any] = {}
    level = draw(st.sampled_from(MAGNITUDES))
    if draw(st.booleans()):
        level = level | st.just(0)
    if edition == 2:
        if draw(st.booleans()):
            more["row_skip"] = draw(st.lists(st.integers(0, 1), min_size=height, max_size=height))
        if draw(st.booleans()):
            more["base"] = draw(st.lists(st.integers(-4, 4), min_size=count, max_size=count))
        if draw(st.booleans()):
            more["parent_present"] = True
            if draw(st.booleans()):
                more["history"] = draw(st.lists(st.integers(0, 1), min_size=count, max_size=count))
        if draw(st.booleans()):
            below, above = draw(st.integers(0, 9)), draw(st.integers(0, 9))
            more |= {"codebook_size": below + 1 + above, "codebook_zero": below}
            level = st.integers(-below, above)
    if draw(st.booleans()):
        more |= {"qp_bits": 8, "qp_value": draw(st.integers(-128, 127))}
    return TensorData(
        levels=draw(st.lists(level, min_size=count, max_size=count)),
        height=height,
        width=width,
        edition=edition,
        unary_length=draw(st.sampled_from([1, 2, 3, 10, 10, 40])),
        dq=draw(st.booleans()),
        scan_order=draw(st.integers(0, 4)),
        init_ids=draw(st.dictionaries(st.sampled_from(NAMES), st.integers(0, 8), max_size=4)),
        restarts=draw(st.sampled_from([True, True, True, False])),
        restart_single_block_row=draw(st.sampled_from([False, False, True])),
        state_per_segment=draw(st.booleans()),
        prefix_ids=draw(st.sampled_from([31, 31, 32])),
        **more,
    )
