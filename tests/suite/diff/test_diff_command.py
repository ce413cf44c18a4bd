"""nnr-suite diff and trace: golden streams and files, implementations and what they wrote."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from nnr_conformance.cli.suite import main
from nnr_conformance.data import data_path
from nnr_conformance.suite.runner.expected import expected, told
from nnr_conformance.suite.runner.outputs import write_arrays
from tests.suite.diff.broken_cases import PROGRAM
from tests.suite.runner.cases_for_tests import UPDATE

PLACES = "{streams} -o {tensors} --levels {levels} --dequantized {dequantized}"
BROKEN = f"{sys.executable} {PROGRAM} --fault 10 {PLACES}"
FILES = [str(data_path(f"bitstreams/{one.removeprefix('golden:')}")) for one in (*UPDATE.before, UPDATE.source)]


def test_an_implementation_is_run_and_its_difference_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", UPDATE.id, "--decoder", BROKEN]) == 1
    text = capsys.readouterr().out
    assert f"{UPDATE.id}: the first difference is in tensors" in text
    assert "the parent is not added" in text


def test_a_command_that_takes_no_settings_is_run_on_files(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", *FILES, "--decoder", BROKEN]) == 1
    assert "the parent is not added" in capsys.readouterr().out


def test_an_implementation_without_a_difference_gives_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", UPDATE.id, "--adapter", "nnr_conformance.suite.runner.own:Interpreted"]) == 0
    assert "as expected" in capsys.readouterr().out


def test_a_decoder_that_rejects_gives_3(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", UPDATE.id, "--decoder", f"{sys.executable} -c 'exit(1)' {{streams}} {{tensors}}"]) == 3
    assert "rejected" in capsys.readouterr().out


def test_files_of_streams_and_tensors_are_compared_without_running_anything(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tensors = {name: one + np.float32(1) for name, one in expected(UPDATE, told(UPDATE)).tensors.items()}
    write_arrays(tmp_path / "mine.npz", tensors)
    assert main(["diff", *FILES, "--tensors", str(tmp_path / "mine.npz"), "--format", "json"]) == 1
    row = json.loads(capsys.readouterr().out)
    assert (row["stage"], row["difference"]["kind"]) == ("tensors", "values")


def test_a_trace_that_was_written_agrees_and_a_changed_one_does_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "trace.jsonl"
    assert main(["trace", *FILES, "-o", str(path)]) == 0
    assert main(["diff", UPDATE.id, "--trace", str(path)]) == 0
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    rows[12]["value"] ^= 1
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert main(["diff", UPDATE.id, "--trace", str(path)]) == 1
    assert "bin 12 of the payload" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        [UPDATE.id],
        ["no-such-stream", "--tensors", "x.npz"],
        [UPDATE.id, "--tensors", "missing.npz"],
        [UPDATE.id, "--tensors", "x.npz", "--base", "base.npz"],
    ],
)
def test_wrong_use_gives_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", *words]) == 2
    assert capsys.readouterr().err.startswith("nnr-suite: ")


def test_a_nonconforming_stream_has_nothing_to_compare_with(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_arrays(tmp_path / "mine.npz", {})
    stream = "requirements/6/6-aggregate-dependent-empty-02"
    assert main(["diff", stream, "--tensors", str(tmp_path / "mine.npz")]) == 2
    assert "is nonconforming" in capsys.readouterr().err
