"""nnr-suite shrink."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from nnr_conformance.cli.suite import main
from nnr_conformance.encoder.recipe import build_recipe

UNIT = {"NNR_NDU": {"topology_elem_id": "conv1", "tensors": [{"levels": [[1] * 8] * 8}], "scan_order": 7}}


@pytest.fixture
def stream(tmp_path: Path) -> Path:
    path = tmp_path / "field.nnr"
    path.write_bytes(build_recipe([{"NNR_STR": {}}, {"NNR_MPS": {}}, {**UNIT}]).data)
    return path


def test_shrink_writes_the_small_stream_and_says_what_it_did(
    stream: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "small.nnr"
    assert main(["shrink", str(stream), "--keeps", "scan_order_reserved", "-o", str(target)]) == 0
    said = capsys.readouterr().out
    assert "keeps scan_order_reserved" in said
    assert "candidates checked" in said
    assert len(target.read_bytes()) < len(stream.read_bytes())
    assert b"conv1" not in target.read_bytes()


def test_shrink_says_when_the_budget_ended_it(stream: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "small.nnr"
    arguments = ["shrink", str(stream), "--keeps", "scan_order_reserved", "-o", str(target), "--steps", "1"]
    assert main(arguments) == 1
    assert "the budget is spent" in capsys.readouterr().out


def test_shrink_of_a_finding_that_is_not_there_is_wrong_use(stream: Path, tmp_path: Path) -> None:
    assert main(["shrink", str(stream), "--keeps", "codebook_empty", "-o", str(tmp_path / "small.nnr")]) == 2


def test_shrink_keeps_the_result_of_a_decoder_that_is_a_command(
    stream: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "decoder.py"
    program.write_text("import sys; sys.exit(7 * (b'conv1' in open(sys.argv[1], 'rb').read()))")
    target = tmp_path / "small.nnr"
    arguments = ["shrink", str(stream), "-o", str(target), "--keeps", "crash", "--case-seconds", "20"]
    assert main([*arguments, "--decoder", f"{sys.executable} -S {program} {{stream}} {{tensors}}"]) == 0
    said = capsys.readouterr().out
    assert "keeps crash (exit code 7), nonconforming" in said
    assert "names of the original that are left: 'conv1'" in said
    assert b"conv1" in target.read_bytes()
    assert len(target.read_bytes()) < len(stream.read_bytes())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--keeps", "fail"], "say what to run"),
        (["--keeps", "R-NDU-26", "--adapter", "nnr-conformance"], "of a decoder these can be kept: fail, crash"),
        (["--keeps", "fail", "--strict", "--adapter", "nnr-conformance"], "--strict"),
        (["--keeps", "crash", "--adapter", "nnr-conformance"], "does not give crash but pass"),
    ],
)
def test_shrink_of_what_a_decoder_does_not_give_is_wrong_use(
    words: list[str], told: str, stream: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["shrink", str(stream), "-o", str(tmp_path / "small.nnr"), *words]) == 2
    assert told in capsys.readouterr().err
