"""The JSON of `nnr-suite diff` is as the schema says, and the schema describes every field."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnr_conformance.cli.suite import main
from nnr_conformance.suite.diff.text import plain
from nnr_conformance.suite.registry_schemas import schema
from nnr_conformance.suite.runner.expected import expected, told
from nnr_conformance.suite.runner.outputs import write_arrays
from tests.suite.diff.broken_cases import FAULTS, Fault, run
from tests.suite.runner.cases_for_tests import UPDATE, case_of

jsonschema = pytest.importorskip("jsonschema")


def validate(row: Any, part: str) -> None:
    """A value against a part of the schema, every field of which must be described."""
    whole = closed(schema("diff"))
    jsonschema.Draft202012Validator.check_schema(whole)
    jsonschema.Draft202012Validator(whole).validate(row)
    jsonschema.Draft202012Validator({"$defs": whole["$defs"], "$ref": f"#/$defs/{part}"}).validate(row)


def closed(part: Any) -> Any:
    """The schema, with every field forbidden that it does not describe."""
    if isinstance(part, list):
        return [closed(one) for one in part]
    if not isinstance(part, dict):
        return part
    made = {key: closed(value) for key, value in part.items()}
    if part.get("type") == "object":
        made["additionalProperties"] = False
    return made


@pytest.mark.parametrize("traced", [False, True], ids=["without a trace", "with a trace"])
@pytest.mark.parametrize("fault", FAULTS[:1] + FAULTS[5:8] + FAULTS[11:], ids=lambda fault: fault.name)
def test_a_divergence_is_valid_and_every_field_is_described(fault: Fault, traced: bool, tmp_path: Path) -> None:
    found = run(fault.name, fault.stream, tmp_path, traced=traced)
    assert found is not None
    validate(json.loads(json.dumps(plain(case_of(fault.stream), found))), "divergence")


def test_no_divergence_is_valid(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_arrays(tmp_path / "mine.npz", expected(UPDATE, told(UPDATE)).tensors)
    assert main(["diff", UPDATE.id, "--tensors", str(tmp_path / "mine.npz"), "--format", "json"]) == 0
    validate(json.loads(capsys.readouterr().out), "same")


def test_a_decoder_that_does_not_decode_gives_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    decoder = f"{sys.executable} -c 'exit(9)' {{streams}} {{tensors}}"
    assert main(["diff", UPDATE.id, "--decoder", decoder, "--format", "json"]) == 3
    row = json.loads(capsys.readouterr().out)
    validate(row, "not_decoded")
    assert (row["result"], row["detail"]) == ("crash", "exit code 9")


def test_names_of_tensors_that_a_terminal_would_obey_are_made_harmless(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tensors = {**expected(UPDATE, told(UPDATE)).tensors, "\x1b[31m\n\u202e": np.zeros(1, np.float32)}
    write_arrays(tmp_path / "mine.npz", tensors)
    for output in ("text", "json"):
        assert main(["diff", UPDATE.id, "--tensors", str(tmp_path / "mine.npz"), "--format", output]) == 1
        said = capsys.readouterr().out
        assert all(line.isprintable() for line in said.splitlines())
