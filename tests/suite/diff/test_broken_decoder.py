"""Each fault of the broken decoder is found where it is: stage, tensor, element, and bin where there is a trace."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.suite.diff.broken_cases import FAULTS, Fault, run


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_found_at_its_stage_tensor_and_element(fault: Fault, tmp_path: Path) -> None:
    found = run(fault.name, fault.stream, tmp_path, traced=False)
    assert found is not None
    assert found.difference is not None
    assert (found.stage, found.difference.tensor, found.element) == (fault.stage, fault.tensor, fault.element)
    assert fault.hint in " ".join(found.hints)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_with_a_trace_a_fault_of_entropy_decoding_is_found_at_its_first_bin(fault: Fault, tmp_path: Path) -> None:
    found = run(fault.name, fault.stream, tmp_path, traced=True)
    assert found is not None
    assert found.stage == fault.stage
    differs = frozenset(name for name, *_ in found.bin.differs) if found.bin else frozenset()
    shown = (found.bin.context_name if found.bin else "", differs)
    assert shown == fault.traced


@pytest.mark.parametrize("stream", sorted({fault.stream for fault in FAULTS}))
def test_without_a_fault_the_same_decoder_has_no_difference_and_the_same_bins(stream: str, tmp_path: Path) -> None:
    assert run("", stream, tmp_path, traced=True) is None
