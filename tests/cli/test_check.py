"""nnr-check as a person uses it: verdict, exit code, places, no traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nnr_conformance.cli.check import main
from nnr_conformance.report.formats import FORMATS

BITSTREAMS = Path(__file__).parents[2] / "bitstreams"
NNCODEC = BITSTREAMS / "interop" / "nncodec"
STREAM = NNCODEC / "s01_pnet_default.nnc"


def test_a_conforming_stream_exits_with_0_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(STREAM)]) == 0
    out = capsys.readouterr().out
    assert "s01_pnet_default.nnc: conforming" in out
    assert "6253 bytes, 16 units, 13 tensors, 6632 weights" in out
    assert "dependent quantization" in out


def test_verbose_lists_units_tensors_and_digests(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-v", str(STREAM)]) == 0
    out = capsys.readouterr().out
    assert out.count("NNR_NDU") == 13
    assert "conv2.weight                 16×10×3×3" in out
    assert "sha256 levels" in out


def test_a_flipped_bit_is_located_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = bytearray(STREAM.read_bytes())
    data[11] ^= 0x10
    damaged = tmp_path / "damaged.nnr"
    damaged.write_bytes(data)
    assert main([str(damaged)]) == 1
    out = capsys.readouterr().out
    assert "damaged.nnr: nonconforming" in out
    assert "alignment_bits [R-GEN-07, high confidence, evidence P2,R]" in out
    assert "bits 88..95 (byte 11)" in out
    assert "[90]" in out


def test_a_truncated_stream_still_reports_its_whole_units(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cut = tmp_path / "cut.nnr"
    cut.write_bytes(STREAM.read_bytes()[:3000])
    assert main(["-v", str(cut)]) == 1
    out = capsys.readouterr().out
    assert "unit_exceeds_stream" in out
    assert "conv2.weight" in out


def test_a_chain_is_checked_in_order_and_its_parts_alone_are_undetermined(capsys: pytest.CaptureFixture[str]) -> None:
    chain = [str(NNCODEC / f"s11_pnet_diff_tca_hdsp.s{step}.nnc") for step in range(4)]
    assert main(chain) == 0
    assert capsys.readouterr().out.count(": conforming") == 4
    assert main(["--separate", *chain]) == 3
    assert capsys.readouterr().out.count(": undetermined") == 3


def test_json_holds_what_text_says(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--format", "json", str(STREAM)]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["schema"] == "nnr-check/1"
    (stream,) = report["streams"]
    assert stream["verdict"] == report["verdict"] == "conforming"
    assert stream["tensors"][0]["name"] == "conv1.weight"
    assert all(found["requirement"] == "R-ED2-25" for found in stream["diagnostics"])


def test_json_says_which_limits_and_readings_were_in_force(capsys: pytest.CaptureFixture[str]) -> None:
    choices = ["--limit", "units=99", "--reading", "edition1-payload=31", "--strict"]
    assert main(["--format", "json", str(STREAM), *choices]) == 0
    run = json.loads(capsys.readouterr().out)["run"]
    assert run["limits"]["units"] == 99
    assert run["limits"]["dimensions"] == 32
    assert run["readings"] == {"edition1-payload": "31"}
    assert run["strict"] is True


def test_json_says_which_edition_and_which_corpus(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--format", "json", str(STREAM)]) == 0
    run = json.loads(capsys.readouterr().out)["run"]
    assert run["edition"] == "auto"
    assert run["corpus"] == (BITSTREAMS / "VERSION").read_text().strip()


def test_a_stream_of_edition_2_is_not_one_of_edition_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(STREAM), "--edition", "2"]) == 0
    assert main([str(STREAM), "--edition", "1"]) == 1
    assert "profile_not_in_edition" in capsys.readouterr().out


@pytest.mark.parametrize("name", FORMATS)
def test_a_report_goes_to_a_file_as_it_would_be_printed(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "report"
    assert main(["--format", name, str(STREAM)]) == 0
    printed = capsys.readouterr().out
    assert main(["--format", name, str(STREAM), "-o", str(output)]) == 0
    assert capsys.readouterr().out == ""
    assert output.read_bytes().decode("utf-8") == printed
    assert printed.endswith("\n")


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "text"])
def test_machines_read_utf_8_whatever_the_terminal_prefers(name: str, tmp_path: Path) -> None:
    stream = tmp_path / "modèle.nnr"
    stream.write_bytes(STREAM.read_bytes())
    done = subprocess.run(
        [sys.executable, "-m", "nnr_conformance.cli.check", "--format", name, stream.name],
        capture_output=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONPATH": str(BITSTREAMS.parent), "PYTHONUTF8": "1"},
    )
    assert done.returncode == 0
    text = done.stdout.decode("utf-8")
    assert "modèle.nnr" in text or "mod%C3%A8le.nnr" in text


@pytest.mark.parametrize(
    "arguments",
    [
        ["missing.nnr"],
        [str(STREAM), "--reading", "nonsense=1"],
        [str(STREAM), "--limit", "units"],
        [str(STREAM), "--limit", "nonsense=1"],
        [str(STREAM), "--base", "missing.npz"],
        [str(STREAM), "-o", str(BITSTREAMS)],
        [str(STREAM), "-o", "missing/report.txt"],
        [str(STREAM), "-o", str(STREAM)],
        [str(BITSTREAMS)],
    ],
)
def test_wrong_use_exits_with_2_and_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("nnr-check: ")
    assert captured.err.count("\n") == 1


def test_a_limit_can_be_lowered_and_leaves_the_verdict_open(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(STREAM), "--limit", "tensor_elements=100"]) == 3
    assert "limit_elements" in capsys.readouterr().out


def test_the_installed_command_runs_as_a_process() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "nnr_conformance.cli.check", str(STREAM)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "conforming" in done.stdout
    assert not done.stderr


@pytest.mark.parametrize(("stream", "code"), [("10-stop-bit-missing-02", 1), ("10-stop-bit-missing-01", 0)])
def test_a_closed_pipe_does_not_hide_the_verdict(stream: str, code: int) -> None:
    path = Path(__file__).parents[2] / "bitstreams" / "requirements" / "10" / f"{stream}.nnr"
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "nnr_conformance.cli.check", "-v", str(path)],
            stdout=write,
            stderr=subprocess.PIPE,
            check=False,
        )
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (code, b"")
