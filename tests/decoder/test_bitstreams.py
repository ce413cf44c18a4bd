"""Streams of other encoders decode bit-exactly to the values that ship beside them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import nnr_conformance
from nnr_conformance.diagnostics import Severity
from nnr_conformance.entropy import compiled_available

BITSTREAMS = Path(__file__).parents[2] / "bitstreams"
EXAMPLES = sorted((BITSTREAMS / "examples").glob("*.nnr"))
NNCODEC = BITSTREAMS / "interop" / "nncodec"
INDEX = {row["stream"]: row for row in json.loads((NNCODEC / "index.json").read_text())["streams"]}

EXECUTIONS = [
    pytest.param(False, id="pure"),
    pytest.param(True, id="compiled", marks=pytest.mark.skipif(not compiled_available(), reason="numba is missing")),
]


def chain_of(path: Path) -> list[bytes]:
    """A stream behind those that it depends on."""
    if path.parent == NNCODEC:
        before = [NNCODEC / name for name in INDEX[path.name]["depends_on"]]
        while before and INDEX[before[0].name]["depends_on"]:
            before = [NNCODEC / name for name in INDEX[before[0].name]["depends_on"]] + before
    else:
        before = [path.with_name("ex4a_ed2_update1.nnr")] if path.stem.startswith("ex4b") else []
    unique = list(dict.fromkeys(before))
    return [one.read_bytes() for one in [*unique, path]]


def same_bits(found: np.ndarray, expected: np.ndarray) -> bool:
    return found.dtype == expected.dtype and found.shape == expected.shape and found.tobytes() == expected.tobytes()


def as_delivered(expected: np.ndarray) -> np.ndarray:
    """NNCodec leaves codebook tensors in binary64; they are delivered rounded once."""
    return expected.astype(np.float32) if expected.dtype == np.float64 else expected


@pytest.mark.parametrize("compiled", EXECUTIONS)
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_annotated_examples_decode_to_their_levels_parameters_and_values(path: Path, compiled: bool) -> None:
    decoded = nnr_conformance.decode(chain_of(path), transmitted=True, compiled=compiled)
    with np.load(path.with_suffix(".npz")) as expected:
        names = {key.removeprefix("recon.") for key in expected.files if key.startswith("recon.")}
        assert set(decoded.tensors) == names
        for key in expected.files:
            kind, _, name = key.partition(".")
            if kind == "recon":
                assert same_bits(decoded.tensors[name], as_delivered(expected[key])), name
            elif kind == "levels":
                assert same_bits(decoded.levels[name], expected[key]), name
            elif kind == "qp":
                assert decoded.qp[name] == expected[key]


@pytest.mark.parametrize("compiled", EXECUTIONS)
@pytest.mark.parametrize("name", sorted(INDEX))
def test_streams_of_nncodec_decode_bit_exactly(name: str, compiled: bool) -> None:
    decoded = nnr_conformance.decode(chain_of(NNCODEC / name), transmitted=True, compiled=compiled)
    with np.load(NNCODEC / INDEX[name]["decoded_npz"]) as expected:
        assert set(decoded.tensors) == set(expected.files)
        for key in expected.files:
            assert same_bits(decoded.tensors[key], as_delivered(expected[key])), key
    assert not [found for found in decoded.diagnostics if found.severity is Severity.ERROR]


@pytest.mark.parametrize("stem", ["ex3_ed1_block_entrypoints", "ex5_ed1_decomposed_block", "ex6_ed2_pytorch_bnf"])
def test_the_usable_model_has_local_scaling_applied_and_factors_composed(stem: str) -> None:
    path = BITSTREAMS / "examples" / f"{stem}.nnr"
    decoded = nnr_conformance.decode(path.read_bytes())
    checked = 0
    with np.load(path.with_suffix(".npz")) as expected:
        for key in expected.files:
            kind, _, name = key.partition(".")
            if kind == "ls_applied" and f"composed_ls_applied.{name.removesuffix('_G')}" not in expected.files:
                if name in decoded.tensors:
                    assert same_bits(decoded.tensors[name], expected[key])
                    checked += 1
            elif kind == "composed_ls_applied":
                np.testing.assert_allclose(decoded.tensors[name], expected[key], rtol=2**-20, atol=1e-7)
                checked += 1
    assert checked
    assert not [name for name in decoded.tensors if name.endswith(("_scaling", "_G", "_H"))]


def test_updates_are_added_to_their_parents_in_order() -> None:
    chain = [NNCODEC / f"s11_pnet_diff_tca_hdsp.s{step}.nnc" for step in range(4)]
    expected: dict[str, np.ndarray] = {}
    for stream in chain:
        with np.load(stream.with_suffix(".npz")) as step:
            for name in step.files:
                expected[name] = expected[name] + step[name] if name in expected else step[name]
    decoded = nnr_conformance.decode([stream.read_bytes() for stream in chain])
    assert set(decoded.tensors) == set(expected)
    for name, values in expected.items():
        assert same_bits(decoded.tensors[name], values), name


def test_an_update_on_top_of_a_given_base_equals_the_chain_that_starts_with_it() -> None:
    first, second = (NNCODEC / f"s11_pnet_diff_tca_hdsp.s{step}.nnc" for step in range(2))
    base = nnr_conformance.decode(first.read_bytes()).tensors
    chained = nnr_conformance.decode([first.read_bytes(), second.read_bytes()]).tensors
    based = nnr_conformance.decode(second.read_bytes(), base=base)
    assert based.diagnostics == tuple(found for found in based.diagnostics if found.severity is not Severity.ERROR)
    assert {name: values.tobytes() for name, values in based.tensors.items()} == {
        name: values.tobytes() for name, values in chained.items()
    }


def test_an_update_whose_parent_is_unknown_leaves_the_stream_undetermined() -> None:
    report = nnr_conformance.check((NNCODEC / "s11_pnet_diff_tca_hdsp.s1.nnc").read_bytes())
    assert report.verdict is nnr_conformance.Verdict.UNDETERMINED
    assert {found.code for found in report.diagnostics if found.severity is Severity.ERROR} == {"missing_parent"}


def test_temporal_contexts_without_the_levels_of_the_parent_are_refused() -> None:
    report = nnr_conformance.check((NNCODEC / "s11_pnet_diff_tca_hdsp.s2.nnc").read_bytes())
    assert report.verdict is nnr_conformance.Verdict.UNDETERMINED
    assert "parent_missing" in {found.code for found in report.diagnostics}
    assert not report.streams[0].tensors


def test_a_payload_of_nncodec_1_is_detected_and_reported() -> None:
    decoded = nnr_conformance.decode((BITSTREAMS / "examples" / "ex1b_nncodec10_plain.nnr").read_bytes())
    assert [found.code for found in decoded.diagnostics] == ["variant_nnc1.0"] * 2
    forced = nnr_conformance.decode(
        (BITSTREAMS / "examples" / "ex1b_nncodec10_plain.nnr").read_bytes(), readings=["edition1-payload=31"]
    )
    assert not forced.tensors
    assert all(found.severity is Severity.ERROR for found in forced.diagnostics)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_both_executions_have_the_same_digest_at_every_stage(path: Path) -> None:
    chain = chain_of(path)
    pure = nnr_conformance.decode(chain, compiled=False)
    again = nnr_conformance.decode(chain, compiled=compiled_available())
    assert pure.digests == again.digests
    assert set(pure.digests) == {"framing", "syntax", "levels", "dequantized", "tensors"}


def test_concatenated_streams_are_a_chain_in_one_buffer() -> None:
    chain = [(NNCODEC / f"s11_pnet_diff_tca_hdsp.s{step}.nnc").read_bytes() for step in range(3)]
    one = nnr_conformance.decode(b"".join(chain), transmitted=True)
    errors = [found for found in one.diagnostics if found.severity is Severity.ERROR]
    assert not errors
    with np.load(NNCODEC / "s11_pnet_diff_tca_hdsp.s2.npz") as expected:
        assert all(same_bits(one.tensors[name], expected[name]) for name in expected.files)
    separate = nnr_conformance.decode(chain).tensors
    together = nnr_conformance.decode(b"".join(chain)).tensors
    assert {name: values.tobytes() for name, values in together.items()} == {
        name: values.tobytes() for name, values in separate.items()
    }


def test_parameters_without_an_update_keep_the_values_of_the_base() -> None:
    update = (BITSTREAMS / "examples" / "ex4a_ed2_update1.nnr").read_bytes()
    differences = nnr_conformance.decode(update, transmitted=True).tensors
    base = {name: np.ones_like(values) for name, values in differences.items()} | {"z": np.full(3, 7, np.float32)}
    tensors = nnr_conformance.decode(update, base=base).tensors
    assert set(tensors) == {*differences, "z"}
    assert tensors["z"].tobytes() == base["z"].tobytes()
    for name, values in differences.items():
        assert tensors[name].tobytes() == (np.float32(1) + values).tobytes()
    assert set(nnr_conformance.decode(update, base=base, tensors=["z"]).tensors) == {"z"}


def test_an_update_of_another_shape_than_its_parent_is_reported_and_delivered_alone() -> None:
    update = (BITSTREAMS / "examples" / "ex4a_ed2_update1.nnr").read_bytes()
    decoded = nnr_conformance.decode(update, base={"w": np.zeros((2, 2), np.float32), "b": np.zeros(3, np.float32)})
    assert "update_shape" in {found.code for found in decoded.diagnostics}
    assert decoded.tensors["w"].shape == (4, 3)
