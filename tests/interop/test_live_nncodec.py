"""Random models, encoded by NNCodec in this process, decode here to the very bits that NNCodec decodes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("nncodec.nnc_core", reason="NNCodec is not installed, see the README")

import nnr_conformance
from nnr_conformance.diagnostics import Severity
from tests.interop import nncodec_codec, nncodec_models
from tests.interop.recipes import Arrays, Case, Options, Tensor

pytestmark = pytest.mark.interop

SETTINGS = settings(
    deadline=None,  # the first example may compile
    derandomize=True,  # the same models on every machine
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def differences(ours: Arrays, theirs: Arrays) -> list[str]:
    """What differs between two sets of arrays: names, types, shapes, or any bit of any value."""
    found = [f"{name}: in one set only" for name in ours.keys() ^ theirs.keys()]
    for name in ours.keys() & theirs.keys():
        left, right = np.asarray(ours[name]), theirs[name]
        if (left.dtype, left.shape) != (right.dtype, right.shape):
            found.append(f"{name}: {left.dtype}{left.shape} here, {right.dtype}{right.shape} in NNCodec")
        elif left.tobytes() != right.tobytes():
            where = np.flatnonzero(left.view(np.int32) != right.view(np.int32))
            first = int(where[0])
            found.append(f"{name}: {where.size} values, at {first} {left.flat[first]!r} not {right.flat[first]!r}")
    return found


def compare(case: Case) -> Counter[str]:
    """Decode every stream of the case, after its predecessors, and count the tools it uses."""
    seen: Counter[str] = Counter()
    coded = nncodec_codec.code(case)
    readings = {"history": "all"} if case.base_in_history else {}
    # Two kinds of update have a parent that was never sent: of a tensor that was all zero in a base with parent
    # signalling, and of a tensor inside a block, which went under the id of the block's weight.
    tolerated = {"missing_parent", "parent_parameter_unknown"} if case.signal_parents_in_base or case.layers else set()
    for step, expected in enumerate(coded):
        # If this fails, the recipe met a defect of NNCodec that the strategies should leave out.
        assert differences(expected.levels, expected.intended_levels) == [] or not expected.keeps_intent
        chain = [earlier.stream for earlier in coded[: step + 1]]
        decoded = nnr_conformance.decode(chain if step else chain[0], transmitted=True, readings=readings)
        assert differences(decoded.levels, expected.levels) == []
        assert differences(decoded.tensors, expected.tensors) == []
        errors = {found.code for found in decoded.diagnostics if found.severity is Severity.ERROR}
        assert errors - tolerated == set()
        seen.update(expected.tools)
    return seen


@pytest.mark.parametrize(
    ("cases", "examples", "tools"),
    [
        pytest.param(nncodec_models.tensor_cases(), 250, nncodec_codec.FREE_TOOLS, id="free-tensors"),
        pytest.param(nncodec_models.layer_cases(), 250, nncodec_codec.LAYER_TOOLS, id="layers"),
        pytest.param(nncodec_models.chain_cases(), 200, nncodec_codec.CHAIN_TOOLS, id="chains"),
    ],
)
def test_random_models_decode_to_the_bits_that_nncodec_decodes(
    cases: st.SearchStrategy[Case],
    examples: int,
    tools: frozenset[str],
    record_property: Callable[[str, object], None],
) -> None:
    seen: Counter[str] = Counter()

    @settings(SETTINGS, max_examples=examples)
    @given(cases)
    def agree(case: Case) -> None:
        seen.update(compare(case) + Counter(["models"]))

    agree()
    record_property("nncodec tools", dict(seen))
    assert tools - seen.keys() == set()
    assert seen["models"] >= examples


def test_a_recipe_always_gives_the_same_stream() -> None:
    case = Case(Options(dq=True, param_opt=True), (Tensor("w", (9, 7), scan_order=1),))
    assert nncodec_codec.code(case)[0].stream == nncodec_codec.code(case)[0].stream


def test_the_program_writes_each_stream_beside_what_it_decodes_to(tmp_path: Path) -> None:
    assert nncodec_models.main(["--count", "3", "--seed", "5", "--out", str(tmp_path)]) == 0
    streams = sorted(tmp_path.glob("*.nnc"))
    assert len(streams) >= 3
    first = streams[0]
    with np.load(first.with_suffix(".npz")) as arrays:
        decoded = nnr_conformance.decode(first.read_bytes(), transmitted=True)
        assert differences(decoded.tensors, {name: arrays[f"tensor.{name}"] for name in decoded.tensors}) == []
