"""nnr-suite run: what it prints, its exit codes, and a run that is killed and taken up."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nnr_conformance.cli.suite import main
from nnr_conformance.suite.runner.cases import golden_cases
from tests.suite.runner.cases_for_tests import script

SOME = ["core/10-entry-points-*"]


def test_list_shows_the_cases_and_needs_no_decoder(capsys: pytest.CaptureFixture[str]):
    assert main(["run", "--list"]) == 0
    assert capsys.readouterr().out.split() == [case.id for case in golden_cases()]


def test_a_decoder_that_passes_gives_0(capsys: pytest.CaptureFixture[str]):
    assert main(["run", "--adapter", "nnr-conformance", *SOME]) == 0
    assert "pass" in capsys.readouterr().out


def test_a_decoder_that_fails_gives_1_and_3_when_nothing_is_supported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    decoder = script(tmp_path, "sys.exit(1)").decoder
    assert main(["run", "--decoder", decoder, *SOME]) == 1
    assert "rejected" in capsys.readouterr().out
    declaration = tmp_path / "dec.yaml"
    declaration.write_text(json.dumps({"name": "d", "version": "1", "decoder": decoder, "unsupported_codes": [1]}))
    assert main(["run", "--implementation", str(declaration), *SOME]) == 2
    content = {"name": "d", "version": "1", "decoder": decoder, "unsupported_codes": [1], "rejection_codes": [2]}
    declaration.write_text(json.dumps(content))
    assert main(["run", "--implementation", str(declaration), *SOME]) == 3


@pytest.mark.parametrize(
    "arguments",
    [
        ["run"],
        ["run", "--adapter", "no-such-adapter"],
        ["run", "--adapter", "nnr-conformance", "no-such-case"],
        ["run", "--decoder", "/no/such/decoder {stream}", *SOME],
        ["run", "--adapter", "nnr-conformance", "--resume"],
        ["run", "--adapter", "nnr-conformance", "--jobs", "0"],
        ["run", "--adapter", "nnr-conformance", "--executor", "slurm", *SOME],
        ["run", "--adapter", "nnr-conformance", "--update-baseline", *SOME],
        ["run", "--streams", "/no/such/place"],
    ],
)
def test_wrong_use_gives_2_and_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]):
    assert main(arguments) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_report_in_a_format_goes_into_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "run.json"
    assert main(["run", "--adapter", "nnr-conformance", *SOME, "--format", "json", "-o", str(path)]) == 0
    assert "pass" in capsys.readouterr().out
    assert json.loads(path.read_text())["header"]["implementation"] == "nnr-conformance"


def test_a_run_that_is_killed_is_taken_up_and_comes_to_the_same_report(tmp_path: Path):
    folder = tmp_path / "temporary"
    folder.mkdir()
    source = f"Path({str(tmp_path)!r}, 'runs').open('a').write('x')\ntime.sleep(0.3)\nsys.exit(1)"
    decoder = script(tmp_path, source, "{stream} {base} {settings} {tensors}").decoder
    whole, killed = tmp_path / "whole.jsonl", tmp_path / "killed.jsonl"
    words = [sys.executable, "-m", "nnr_conformance.cli.suite", "run", "--decoder", decoder, "--jobs", "2", *SOME]
    whole_run = subprocess.run([*words, "--results", str(whole)], capture_output=True, text=True, check=False)
    (tmp_path / "runs").unlink()
    process = subprocess.Popen(
        [*words, "--results", str(killed)], stdout=subprocess.DEVNULL, env={**os.environ, "TMPDIR": str(folder)}
    )
    for _ in range(600):
        if killed.exists() and killed.read_bytes().count(b"\n") >= 4:
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = killed.read_bytes().count(b"\n") - 1
    assert 0 < done < whole.read_bytes().count(b"\n") - 1
    # Its workers end by themselves, with what they run and have written; what they still ran does not count.
    for _ in range(200):
        if not [*folder.iterdir()]:
            break
        time.sleep(0.05)
    assert not [*folder.iterdir()]
    time.sleep(0.5)
    (tmp_path / "runs").unlink()
    with killed.open("ab") as file:
        file.write(b'{"case": "core/10-entry-poi')
    again = subprocess.run([*words, "--results", str(killed), "--resume"], capture_output=True, text=True, check=False)
    assert again.stdout == whole_run.stdout
    assert again.returncode == whole_run.returncode == 1
    rows = [json.loads(line) for line in killed.read_text().splitlines()[1:]]
    assert len({row["case"] for row in rows}) == len(rows) == whole.read_bytes().count(b"\n") - 1
    assert len((tmp_path / "runs").read_text()) == len(rows) - done
