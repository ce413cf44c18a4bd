"""The rows about NNCodec belong to golden streams, have the form of their schema, and name known divergences."""

from __future__ import annotations

import pytest

from nnr_conformance.data import load_yaml
from nnr_conformance.suite.corpus.golden import golden_streams
from nnr_conformance.suite.corpus.nncodec_rows import COMMAND, key, missing_rows, stray_rows
from nnr_conformance.suite.corpus.sidecar import nncodec
from nnr_conformance.suite.registry_schemas import validator


def test_every_row_names_a_stored_stream() -> None:
    assert list(stray_rows()) == []


def test_every_stream_of_a_pipeline_has_a_row() -> None:
    assert [line for line in missing_rows() if line.startswith("cfp2019/")] == []


def test_a_row_of_no_stream_is_found() -> None:
    assert [line.partition(":")[0] for line in stray_rows({"core/gone-01.nnr": {}})] == ["core/gone-01.nnr"]


def test_the_rows_have_the_form_of_their_schema() -> None:
    pytest.importorskip("jsonschema")
    assert [error.message for error in validator("nncodec").iter_errors(dict(nncodec()))] == []


@pytest.mark.parametrize(("name", "file"), [("divergence", "divergences"), ("reading", "readings")])
def test_the_rows_name_known_divergences_and_readings(name: str, file: str) -> None:
    known = {row["id"] for row in load_yaml(f"spec/{file}.yaml")}
    assert {one for row in nncodec().values() for one in row.get(name, ())} <= known


def test_a_stream_without_a_row_or_with_an_old_one_is_named_with_the_command_that_helps() -> None:
    first, second, third = golden_streams()[:3]
    rows = {one.path: {"sha256": key(one)} for one in golden_streams()}
    assert list(missing_rows(rows)) == []
    del rows[first.path]
    rows[third.path] = {"sha256": key(second)}
    lines = list(missing_rows(rows))
    assert [line.partition(":")[0] for line in lines] == [first.path, third.path]
    assert all(COMMAND in line for line in lines)
