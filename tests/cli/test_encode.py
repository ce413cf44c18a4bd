"""nnr-encode as a person uses it: round trips with nnr-decode, updates, refusals, help."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import nnr_conformance
from nnr_conformance.cli import decode
from nnr_conformance.cli.encode import main
from nnr_conformance.encoder.step_size import step_size
from nnr_conformance.tensor_files import open_writer, read_tensors


@pytest.fixture
def tensors() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    return {
        "conv.weight": rng.normal(0, 0.1, (8, 3, 3, 3)).astype(np.float32),
        "conv.bias": rng.normal(0, 0.1, 8).astype(np.float32),
        "bn.beta": rng.normal(0, 0.1, 8).astype(np.float32),
        "bn.gamma": rng.uniform(0.5, 1.5, 8).astype(np.float32),
        "bn.mean": rng.normal(0, 0.1, 8).astype(np.float32),
        "bn.var": rng.uniform(0.5, 1.5, 8).astype(np.float32),
        "fc": rng.normal(0, 0.1, (30, 40)).astype(np.float32),
        "steps": np.array([12, -7]),
    }


@pytest.fixture
def file(tmp_path: Path, tensors: dict[str, np.ndarray]) -> str:
    return written(tmp_path / "model.npz", tensors)


def written(path: Path, tensors: dict[str, np.ndarray]) -> str:
    with open_writer(path) as writer:
        for name, tensor in tensors.items():
            writer.write(name, tensor)
    return str(path)


def decoded(*streams: Path, base: str = "") -> dict[str, np.ndarray]:
    out = streams[0].with_name("decoded.npz")
    assert decode.main([*map(str, streams), "-o", str(out), "-q", *(["--base", base] if base else [])]) == 0
    return dict(read_tensors(out))


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_a_round_trip_stays_within_half_a_step(tmp_path: Path, tensors: dict[str, np.ndarray], suffix: str) -> None:
    stream = tmp_path / "model.nnr"
    assert main([written(tmp_path / f"model{suffix}", tensors), "-o", str(stream), "--qp", "-20"]) == 0
    assert not nnr_conformance.check(stream.read_bytes()).diagnostics
    found = decoded(stream)
    assert found.keys() == tensors.keys()
    for name, tensor in tensors.items():
        bound = step_size(-20 if tensor.ndim > 1 else -75, 2) / 2 if tensor.dtype.kind == "f" else 0
        assert np.abs(found[name] - tensor).max() <= bound * (1 + 1e-6) + 1e-7


BLOCK = "conv.weight,conv.bias,bn.beta,bn.gamma,bn.mean,bn.var"


@pytest.mark.parametrize(
    ("options", "tools"),
    [
        (["--dq", "--scan", "1", "--lambda", "0.3"], {"dependent quantization", "scan order 1"}),
        (["--codebook", "12", "--unary", "3"], {"codebook"}),
        (["--decompose", "4"], {"decomposition"}),
        (["--decompose", "4", "--separate-factors"], {"decomposition"}),
        (["--raw", "fc", "conv.bias"], {"raw float"}),
        (["--sparsify", "0.9", "--row-skip", "--no-init-ids"], set()),
        (["--profile", "0"], {"edition 1"}),
        (["--part-bytes", "200"], {"partial data"}),
        (["--aggregate"], {"aggregate"}),
        (["--block", BLOCK, "--fold", "--local-scaling"], {"local scaling"}),
        (["--block", BLOCK], {"batch norm"}),
        (["--block", "conv.weight,conv.bias", "--decompose", "3"], {"bias"}),
        (["--deadzone", "0.1", "--qp-density", "3", "--vector-qp", "-100"], {"uniform"}),
    ],
)
def test_each_option_gives_a_stream_without_findings(
    tmp_path: Path, file: str, options: list[str], tools: set[str]
) -> None:
    stream = tmp_path / "model.nnr"
    assert main([file, "-o", str(stream), *options]) == 0
    report = nnr_conformance.check(stream.read_bytes())
    assert {found.code for found in report.diagnostics} <= {"factors_outside_block"}
    used = " ".join(sorted(report.streams[0].tools))
    assert [tool for tool in tools if tool not in used] == []
    assert len(decoded(stream)) >= 4


def test_an_update_of_streams_and_one_of_a_file_give_the_new_model(
    tmp_path: Path, file: str, tensors: dict[str, np.ndarray]
) -> None:
    first, second, third, other = (tmp_path / f"{name}.nnr" for name in "abcd")
    new = written(tmp_path / "new.npz", {**tensors, "fc": tensors["fc"] * np.float32(1.2)})
    newer = written(tmp_path / "newer.npz", {**tensors, "fc": tensors["fc"] * np.float32(1.3)})
    assert main([file, "-o", str(first)]) == 0
    assert main([new, "-o", str(second), "--base", str(first)]) == 0
    assert main([newer, "-o", str(third), "--base", str(first), str(second), "--dq"]) == 0
    report = nnr_conformance.check([path.read_bytes() for path in (first, second, third)])
    assert not report.diagnostics
    assert "temporal contexts" in report.streams[2].tools
    found = decoded(first, second, third)
    assert np.abs(found["fc"] - tensors["fc"] * np.float32(1.3)).max() < 2 * step_size(-38, 2)
    assert main([new, "-o", str(other), "--base", file]) == 0
    assert np.abs(decoded(other, base=file)["fc"] - tensors["fc"] * np.float32(1.2)).max() < step_size(-38, 2)


def test_the_summary_tells_size_and_ratio(tmp_path: Path, file: str, capsys: pytest.CaptureFixture[str]) -> None:
    stream = tmp_path / "model.nnr"
    assert main([file, "-o", str(stream)]) == 0
    said = capsys.readouterr().out
    size = len(stream.read_bytes())
    assert said.startswith(f"{stream}: 8 tensors, {size} bytes, ")
    assert f"{8 * size / (216 + 5 * 8 + 1200 + 2):.3f} bits per weight" in said
    assert main([file, "-o", str(stream), "-q"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--raw", "nothing"], "no tensor 'nothing'"),
        (["--dq", "--codebook", "4"], "exclude"),
        (["--block", "a,b,c"], "a block is"),
        (["--scan", "7"], "scan_order"),
        (["--base", "missing.nnr"], "cannot read"),
        (["--sparsify", "2"], "share"),
        (["--base", "a.npz", "b.nnr"], "a base is"),
        (["--qp", "900"], "no step size"),
    ],
)
def test_wrong_use_is_said_in_one_line_and_leaves_no_file(
    tmp_path: Path, file: str, capsys: pytest.CaptureFixture[str], options: list[str], text: str
) -> None:
    stream = tmp_path / "model.nnr"
    assert main([file, "-o", str(stream), *options]) == 2
    said = capsys.readouterr().err
    assert said.startswith("nnr-encode: ")
    assert text in said
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == [Path(file)]


def test_a_tensor_that_is_not_finite_and_a_place_that_cannot_be_written_are_wrong_use(
    tmp_path: Path, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = written(tmp_path / "bad.npz", {"w": np.array([np.nan], np.float32)})
    assert main([bad, "-o", str(tmp_path / "x.nnr")]) == 2
    assert "'w' has NaN" in capsys.readouterr().err
    assert main([file, "-o", str(tmp_path / "no" / "x.nnr")]) == 2
    assert "cannot write" in capsys.readouterr().err


def test_help_tells_exit_codes_and_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert "exit codes: 0 written, 2 wrong use" in said
    assert "example: nnr-encode model.npz -o model.nnr" in said
