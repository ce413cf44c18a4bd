"""The interpreted and the compiled life give the same result or the same fault for any payload."""

from __future__ import annotations

import random
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnr_conformance.diagnostics import catalogue
from nnr_conformance.entropy import (
    EntropyFault,
    EntryPoint,
    Note,
    PayloadDecoder,
    PayloadRules,
    TensorCoding,
    compiled_available,
)

from . import vector_files as files

pytestmark = pytest.mark.skipif(not compiled_available(), reason="numba is not installed")


class Outcome(NamedTuple):
    """All that can be seen of decoding a payload, in comparable form."""

    seen: list[Any]
    fault: tuple[str, int, int, str] | None
    notes: list[Note]


def outcome(payload: bytes, codings: list[TensorCoding], rules: PayloadRules, compiled: bool) -> Outcome:
    seen: list[Any] = []
    notes: list[Note] = []
    try:
        decoder = PayloadDecoder(payload, rules, compiled=compiled)
        notes = decoder.notes
        for coding in codings:
            found = decoder.decode_tensor(coding)
            skip = None if found.row_skip is None else found.row_skip.tolist()
            seen += [found.qp_coded, found.history_flag, skip, found.init_ids, found.quantized.tobytes()]
            seen += [found.final_state, found.entry_points, found.first_bit, found.end_bit]
        seen.append(decoder.finish())
    except EntropyFault as fault:
        return Outcome(seen, (fault.code, fault.bit, fault.tensor, fault.message), notes)
    return Outcome(seen, None, notes)


def assert_same(payload: bytes, codings: list[TensorCoding], rules: PayloadRules) -> None:
    interpreted = outcome(payload, codings, rules, compiled=False)
    assert interpreted == outcome(payload, codings, rules, compiled=True)
    if interpreted.fault is not None:
        code, bit, tensor, _ = interpreted.fault
        assert code in catalogue()
        assert 0 <= bit <= 8 * len(payload)
        assert 0 <= tensor <= len(codings)


@pytest.mark.parametrize("name", files.VALID[::4])
def test_truncations_and_bit_flips_of_vectors_end_the_same(name: str) -> None:
    vector = files.load(name)
    payload, codings, rules = files.payload(vector), files.codings(vector), files.rules(vector)
    rng = random.Random(name)
    for _ in range(50):
        assert_same(payload[: rng.randrange(len(payload))], codings, rules)
        flipped = bytearray(payload)
        flipped[rng.randrange(len(payload))] ^= 1 << rng.randrange(8)
        assert_same(bytes(flipped), codings, rules)


@st.composite
def tensor_codings(draw: st.DrawFn) -> TensorCoding:
    shape = draw(st.sampled_from([(1,), (30,), (1, 17), (17, 1), (9, 13), (20, 3, 2), (33, 40)]))
    edition = draw(st.sampled_from([1, 2, 2]))
    size = draw(st.sampled_from([0, 0, 1, 2, 3, 17, 300]))
    rng = np.random.default_rng(draw(st.integers(0, 9)))
    temporal = edition == 2 and draw(st.booleans())
    return TensorCoding(
        shape=shape,
        unary_length=draw(st.sampled_from([1, 2, 11, 256])),
        dq=draw(st.booleans()),
        scan_order=draw(st.integers(0, 4)),
        edition=edition,
        qp_bits=draw(st.sampled_from([0, 6, 13])),
        parent_present=draw(st.booleans()),
        codebook_size=size,
        codebook_zero=draw(st.integers(0, max(size - 1, 0))),
        base=rng.integers(-3, 4, shape).astype(np.int32) if temporal else None,
        history=rng.integers(0, 2, shape).astype(np.int8) if draw(st.booleans()) else None,
        entry_points=draw(st.sampled_from([None, (), (EntryPoint(1, 2, 3),)])),
    )


all_rules = st.builds(PayloadRules, st.sampled_from([31, 32]), st.booleans(), st.booleans(), st.booleans())


@settings(max_examples=600, deadline=None)
@given(
    st.binary(min_size=0, max_size=400) | st.integers(0, 400).map(bytes),
    st.lists(tensor_codings(), min_size=1, max_size=3),
    all_rules,
)
def test_any_bytes_decode_the_same(payload: bytes, codings: list[TensorCoding], rules: PayloadRules) -> None:
    assert_same(payload, codings, rules)


def test_the_extremes_of_a_base_are_the_same() -> None:
    base = np.array([-(2**31), 2**31 - 1, 0, -1, 1, 2] * 20, np.int32).reshape(10, 12)
    coding = TensorCoding(base.shape, 11, True, 1, 2, 8, base=base)
    rng = random.Random(5)
    for _ in range(50):
        assert_same(bytes(rng.randrange(255) for _ in range(200)), [coding], PayloadRules())


def test_a_read_only_base_and_a_boolean_history_are_accepted() -> None:
    base, history = np.ones((10, 12), np.int32), np.ones((10, 12), bool)
    base.flags.writeable = history.flags.writeable = False
    coding = TensorCoding(base.shape, 11, True, 1, 2, 8, parent_present=True, base=base, history=history)
    for seed in range(20):
        assert_same(random.Random(seed).randbytes(100), [coding], PayloadRules())
