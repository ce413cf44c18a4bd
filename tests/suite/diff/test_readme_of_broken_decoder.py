"""The README of examples/broken says what really comes out."""

from __future__ import annotations

import shlex
import sys

import pytest

from nnr_conformance.cli.suite import main
from tests.suite.diff.broken_cases import FAULTS, PROGRAM

TEXT = PROGRAM.with_name("README.md").read_text(encoding="utf-8")


def test_the_output_in_the_readme_is_that_of_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    shown = TEXT.partition("```console\n$ ")[2].partition("```")[0]
    command, _, output = shown.partition("\n")
    program, *words = shlex.split(command)
    assert program == "nnr-suite"
    runnable = [
        word.replace("python examples/broken/broken_decoder.py", f"{sys.executable} {PROGRAM}") for word in words
    ]
    assert main(runnable) == 1
    assert capsys.readouterr().out == output


def test_the_table_has_each_fault_with_the_stream_that_shows_it() -> None:
    for fault in FAULTS:
        assert f"| `{fault.name}` |" in TEXT
        assert f"| `{fault.stream}` | {fault.stage}" in TEXT
