"""nnr-decode as a person uses it: the usable model, transmitted tensors, levels, chains, bases."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nnr_conformance.cli.decode import main
from nnr_conformance.tensor_files import read_tensors
from tests.decoder.stream_builder import coded, parameter_set, raw, start

BITSTREAMS = Path(__file__).parents[2] / "bitstreams"
NNCODEC = BITSTREAMS / "interop" / "nncodec"
CHAIN = [NNCODEC / f"s11_pnet_diff_tca_hdsp.s{step}.nnc" for step in range(4)]


def same(found: Path, expected: Path) -> bool:
    left, right = read_tensors(found), read_tensors(expected)
    return set(left) == set(right) and all(left[name].tobytes() == right[name].tobytes() for name in left)


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_transmitted_tensors_are_those_of_the_sidecar(tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"out{suffix}"
    assert main(["--transmitted", str(NNCODEC / "s06_cls_block_bn_dq.nnc"), "-o", str(out)]) == 0
    assert same(out, NNCODEC / "s06_cls_block_bn_dq.npz")


@pytest.mark.parametrize("step", range(4))
def test_each_step_of_a_chain_is_transmitted_as_its_sidecar_says(tmp_path: Path, step: int) -> None:
    out = tmp_path / "out.npz"
    assert main(["--transmitted", *map(str, CHAIN[: step + 1]), "-o", str(out)]) == 0
    assert same(out, CHAIN[step].with_suffix(".npz"))


def test_a_chain_gives_the_updated_model_and_a_base_file_replaces_its_first_stream(tmp_path: Path) -> None:
    chained, base, based = tmp_path / "chained.npz", tmp_path / "base.safetensors", tmp_path / "based.npz"
    assert main([*map(str, CHAIN[:2]), "-o", str(chained)]) == 0
    assert main([str(CHAIN[0]), "-o", str(base)]) == 0
    assert main(["--base", str(base), str(CHAIN[1]), "-o", str(based)]) == 0
    assert same(chained, based)


def test_the_usable_model_has_no_scaling_tensors(tmp_path: Path) -> None:
    out = tmp_path / "out.npz"
    assert main([str(BITSTREAMS / "examples" / "ex5_ed1_decomposed_block.nnr"), "-o", str(out)]) == 0
    with read_tensors(out) as tensors:
        assert set(tensors) == {"w", "bias"}
        assert tensors["w"].shape == (10, 3, 2, 1)


def test_levels_are_written_as_int32(tmp_path: Path) -> None:
    out = tmp_path / "out.npz"
    example = BITSTREAMS / "examples" / "ex1_ed1_plain.nnr"
    assert main(["--levels", str(example), "-o", str(out)]) == 0
    with read_tensors(out) as tensors, np.load(example.with_suffix(".npz")) as expected:
        assert set(tensors) == {"w", "b"}
        assert all(np.array_equal(tensors[name], expected[f"levels.{name}"]) for name in tensors)
        assert tensors["w"].dtype == np.int32


def test_all_stages_are_written_in_one_run(tmp_path: Path) -> None:
    model, levels, dequantized = (tmp_path / f"{name}.npz" for name in ("model", "levels", "dequantized"))
    beside = ["--levels-output", str(levels), "--dequantized-output", str(dequantized)]
    assert main([str(CHAIN[0]), str(CHAIN[1]), "-o", str(model), *beside]) == 0
    alone = tmp_path / "alone.npz"
    for option, found in ((), model), (("--levels",), levels), (("--transmitted",), dequantized):
        assert main([*option, str(CHAIN[0]), str(CHAIN[1]), "-o", str(alone)]) == 0
        assert same(found, alone)


@pytest.mark.parametrize("option", ["--levels", "--transmitted"])
def test_stages_beside_the_model_need_the_model(option: str, tmp_path: Path) -> None:
    out, beside = tmp_path / "out.npz", tmp_path / "levels.npz"
    assert main([option, str(CHAIN[0]), "-o", str(out), "--levels-output", str(beside)]) == 2
    assert not list(tmp_path.iterdir())


def test_what_is_checked_first_and_does_not_conform_is_not_decoded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, beside = tmp_path / "out.npz", tmp_path / "levels.npz"
    broken = BITSTREAMS / "requirements" / "10" / "10-stop-bit-missing-02.nnr"
    assert main([str(broken), "-o", str(out)]) == 1
    assert out.exists()
    out.unlink()
    assert main(["--check", str(broken), "-o", str(out), "--levels-output", str(beside)]) == 1
    assert "nonconforming: stop_bit_missing" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_judged_is_not_decoded_either_when_it_is_checked_first(tmp_path: Path) -> None:
    out = tmp_path / "out.npz"
    assert main(["--check", str(CHAIN[1]), "-o", str(out)]) == 3
    assert not out.exists()


def test_what_conforms_is_decoded_alike_with_and_without_a_check(tmp_path: Path) -> None:
    checked, unchecked = tmp_path / "checked.npz", tmp_path / "unchecked.npz"
    assert main(["--check", *map(str, CHAIN), "-o", str(checked)]) == 0
    assert main([*map(str, CHAIN), "-o", str(unchecked)]) == 0
    assert same(checked, unchecked)


def test_one_tensor_can_be_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.npz"
    assert main([str(NNCODEC / "s01_pnet_default.nnc"), "--tensor", "conv2.bias", "-o", str(out)]) == 0
    assert set(read_tensors(out)) == {"conv2.bias"}
    assert "1 tensors, 64 bytes" in capsys.readouterr().out


def test_several_tensors_can_be_named_behind_one_option_or_several(tmp_path: Path) -> None:
    out, stream = tmp_path / "out.npz", str(NNCODEC / "s01_pnet_default.nnc")
    assert main([stream, "--tensor", "conv1.bias", "conv2.bias", "--tensor", "conv3.bias", "-o", str(out)]) == 0
    assert set(read_tensors(out)) == {"conv1.bias", "conv2.bias", "conv3.bias"}


def test_a_tensor_that_is_not_there_is_wrong_use_and_leaves_no_file(tmp_path: Path) -> None:
    out = tmp_path / "out.npz"
    assert main([str(NNCODEC / "s01_pnet_default.nnc"), "--tensor", "nothing", "-o", str(out)]) == 2
    assert not out.exists()


def test_what_can_be_decoded_of_a_broken_stream_is_written_and_the_rest_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = bytearray(coded("w", "e2-001-plain"))
    broken[-3] ^= 0x40
    stream, out = tmp_path / "in.nnr", tmp_path / "out.npz"
    stream.write_bytes(start() + parameter_set() + bytes(broken) + raw("r", np.ones((2, 2), np.float32)))
    assert main([str(stream), "-o", str(out)]) == 1
    assert set(read_tensors(out)) == {"r"}
    assert "unit 2" in capsys.readouterr().err


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_a_name_that_occurs_again_is_that_of_the_last_and_loses_nothing(tmp_path: Path, suffix: str) -> None:
    stream, out = tmp_path / "in.nnr", tmp_path / f"out{suffix}"
    first, second, third = (np.full((2, number), number, np.float32) for number in (1, 2, 3))
    units = (raw("r", first), raw("other", first), raw("r", second), raw("r", third))
    stream.write_bytes(start() + parameter_set() + b"".join(units))
    assert main([str(stream), "-o", str(out)]) == 0
    with read_tensors(out) as tensors:
        assert set(tensors) == {"other", "r", "r (unit 2)", "r (unit 4)"}
        assert np.array_equal(tensors["r"], third)
        assert np.array_equal(tensors["r (unit 2)"], first)
        assert np.array_equal(tensors["r (unit 4)"], second)


def test_the_last_tensor_of_a_name_can_be_had_alone(tmp_path: Path) -> None:
    stream, out = tmp_path / "in.nnr", tmp_path / "out.npz"
    first, second = (np.full((2, number), number, np.float32) for number in (1, 2))
    stream.write_bytes(start() + parameter_set() + raw("r", first) + raw("r", second))
    assert main(["--replace", str(stream), "-o", str(out)]) == 0
    with read_tensors(out) as tensors:
        assert {name: tensors[name].tolist() for name in tensors} == {"r": second.tolist()}


@pytest.mark.parametrize("out", ["out.txt", "no/such/folder/out.npz", "."])
def test_an_output_that_cannot_be_written_is_wrong_use(
    tmp_path: Path, out: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(NNCODEC / "s01_pnet_default.nnc"), "-o", str(tmp_path / out)]) == 2
    assert capsys.readouterr().err.startswith("nnr-decode: ")


def test_dimensions_from_a_side_file_let_a_stream_be_decoded(tmp_path: Path) -> None:
    given = {"tensor_dimensions": [3, 4]}
    values = np.arange(12, dtype=np.float32).reshape(3, 4)
    stream, side, out = tmp_path / "in.nnr", tmp_path / "side.yaml", tmp_path / "out.npz"
    stream.write_bytes(start() + parameter_set() + raw("r", values, tensor_dimensions_flag=0, given=given))
    side.write_text("r: {tensor_dimensions: [3, 4]}\n")
    assert main([str(stream), "-o", str(out)]) == 3
    assert main([str(stream), "--out-of-band", str(side), "-o", str(out)]) == 0
    assert np.array_equal(read_tensors(out)["r"], values)
    side.write_text("r: {tensor_dimensions: [-3, 4]}\n")
    assert main([str(stream), "--out-of-band", str(side), "-o", str(out)]) == 2
