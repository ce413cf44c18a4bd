"""The short cut for runs of zeros that the compiled loop has."""

from __future__ import annotations

from pathlib import Path
from types import FunctionType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnr_conformance.entropy import binding, rows, zero_runs
from nnr_conformance.entropy import engine as ac
from nnr_conformance.entropy.contexts import initial_counters
from nnr_conformance.entropy.tables import tables

payloads = st.binary(min_size=2, max_size=40).filter(lambda data: data[0] != 0xFF)


@given(payloads, st.integers(0, 8), st.integers(0, 3), st.integers(0, 300))
def test_a_run_of_zeros_is_decoded_as_bin_after_bin(data: bytes, context: int, weight: int, length: int) -> None:
    payload, end = data + bytes(ac.PADDING), weight + length
    plain = list(tables().initial_counter0), list(tables().initial_counter1)
    short = list(plain[0]), list(plain[1])
    registers = ac.start(data)[ac.RANGE : ac.POSITION + 1]
    found = ac.decode_zeros(payload, *short, context, weight, end, *registers)
    while weight < end:
        bin_value, *registers = ac.decode_bin(payload, *plain, context, *registers)
        if bin_value:
            break
        weight += 1
    assert found == (weight, *registers)
    assert short == plain


def test_interpreted_with_the_short_cut_the_loop_decodes_the_same() -> None:
    plain = binding.bound_decode_rows(all_tools=False, compiled=False).__globals__
    short = plain | {"decode_zeros": ac.decode_zeros}
    code = zero_runs.with_zero_runs(rows.decode_segment)
    segments = [plain["decode_segment"], FunctionType(code, short)]
    payload = bytes(range(7, 200, 3)) + bytes(400)
    outcomes = []
    for segment in segments:
        engine = ac.start(payload)
        counters = initial_counters(11)
        coding = [0] * rows.CODING_CELLS
        coding[rows.UNARY], coding[rows.DQ] = 11, 1
        coding[rows.LOWEST], coding[rows.HIGHEST] = rows.INT32_LOWEST, rows.INT32_HIGHEST
        quantized = [0] * 900
        segment(payload + bytes(ac.PADDING), engine, *counters, coding, [], [], quantized, 0, 900)
        outcomes.append((engine, counters, quantized))
    assert outcomes[0] == outcomes[1]
    assert any(outcomes[0][2])


def test_a_traceback_of_the_short_cut_names_the_plain_loop() -> None:
    assert isinstance(rows.decode_segment, FunctionType)
    plain = rows.decode_segment.__code__
    code = zero_runs.with_zero_runs(rows.decode_segment)
    assert (code.co_name, code.co_filename) == ("decode_segment", rows.__file__)
    assert code.co_firstlineno == plain.co_firstlineno
    assert "decode_zeros" in code.co_names


def test_a_function_without_the_loop_over_weights_is_refused() -> None:
    with pytest.raises(ValueError, match="skip_segment"):
        zero_runs.with_zero_runs(rows.skip_segment)


def test_without_sources_the_loop_stays_plain(tmp_path: Path) -> None:
    namespace: dict[str, object] = {}
    exec(compile("def loop():\n    return 1\n", str(tmp_path / "gone.py"), "exec"), namespace)
    loop = namespace["loop"]
    assert isinstance(loop, FunctionType)
    assert zero_runs.with_zero_runs(loop) is loop.__code__
