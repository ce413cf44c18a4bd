"""Golden streams: sidecars and the manifest are valid and complete, and what they say is true."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from nnr_conformance.cli.suite import main
from nnr_conformance.data import data_path, load_yaml
from nnr_conformance.decoder.digests import STAGES
from nnr_conformance.suite.corpus import files, verify
from nnr_conformance.suite.corpus.checks import claim_problems
from nnr_conformance.suite.corpus.findings import found_in
from nnr_conformance.suite.corpus.golden import KINDS, golden_streams
from nnr_conformance.suite.corpus.recipes import FOLDER, CorpusStream, corpus_streams
from nnr_conformance.suite.corpus.sidecar import as_text, listed, nncodec, witness_problems
from nnr_conformance.suite.corpus.study import study
from nnr_conformance.suite.corpus.summary import manifest_rows
from nnr_conformance.suite.registry_rows import load_requirements
from nnr_conformance.suite.registry_schemas import validator

GOLDEN = golden_streams()
SIDECARS = {golden.path: f"{FOLDER}/{golden.path}.yaml" for golden in GOLDEN}
SMALL = next(golden for golden in GOLDEN if golden.path == "core/10-entry-points-01.nnr")


def test_every_stream_has_a_sidecar_that_keeps_the_schema() -> None:
    wanted = validator("golden")
    for path in SIDECARS.values():
        assert [error.message for error in wanted.iter_errors(load_yaml(path))] == [], path


def test_the_manifest_keeps_its_schema_and_has_every_stream_once() -> None:
    content = json.loads(data_path(f"{FOLDER}/manifest.json").read_text(encoding="utf-8"))
    assert [error.message for error in validator("corpus").iter_errors(content)] == []
    assert [row["path"] for row in content["streams"]] == [golden.path for golden in GOLDEN]
    assert content["version"] == data_path(f"{FOLDER}/VERSION").read_text(encoding="ascii").strip()


def test_the_manifest_says_what_the_sidecars_say() -> None:
    for row in manifest_rows():
        beside = load_yaml(SIDECARS[row["path"]])
        assert {name: found for name, found in row.items() if name != "path"} == {
            name: found for name, found in beside.items() if name not in {"schema", "stream", "tensors"}
        }


def test_every_stream_has_two_witnesses_at_every_stage() -> None:
    for row in manifest_rows():
        wanted = STAGES if row["verdict"] == "conforming" else ["verdict"]
        for stage in wanted:
            assert sum(stage in agreed for agreed in row["witness"].values()) >= 2, (row["path"], stage)


def test_names_say_clause_idea_and_number_and_no_name_is_used_twice_in_a_class() -> None:
    names = [(golden.kind, golden.name) for golden in GOLDEN]
    assert len(set(names)) == len(names)
    for golden in GOLDEN:
        clause, *idea, number = golden.name.split("-")
        assert golden.kind in KINDS
        assert number.isdigit()
        assert idea
        assert golden.kind == "cfp2019" or 5 <= int(clause) <= 10


def test_requirements_that_streams_are_about_are_in_the_registry() -> None:
    known = load_requirements()
    assert {name for golden in GOLDEN for name in golden.requirements} <= set(known)


def test_all_that_is_stored_stays_below_twelve_megabytes() -> None:
    assert sum(path.stat().st_size for path in data_path(FOLDER).rglob("*") if path.is_file()) < 12_000_000


@pytest.mark.parametrize("stream", corpus_streams(), ids=lambda stream: stream.path)
def test_a_recipe_gives_the_stored_stream(stream: CorpusStream) -> None:
    assert data_path(stream.path).read_bytes() == stream.build()


def test_all_stored_streams_decode_to_what_the_manifest_says() -> None:
    assert [found for found in verify.verified() if found[1]] == []


def test_a_sidecar_that_says_something_else_than_the_stream_is_noticed() -> None:
    row = next(row for row in manifest_rows() if row["path"] == SMALL.path)
    wrong = {**row["digests"], "levels": "0" * 64}
    assert list(verify.differences(SMALL, row)) == []
    assert list(verify.differences(SMALL, {**row, "digests": wrong})) == ["levels"]
    assert list(verify.differences(SMALL, {**row, "verdict": "nonconforming"})) == ["verdict"]
    assert list(verify.differences(SMALL, {**row, "diagnostics": [{}]})) == ["diagnostics"]
    assert list(verify.differences(SMALL, {**row, "sha256": "0" * 64})) == ["bytes"]


def test_witnesses_that_disagree_are_problems() -> None:
    found = found_in(SMALL, compiled=False)
    assert list(witness_problems(SMALL, found, found.digests)) == []
    other = {**found.digests, "levels": "0" * 64}
    assert f"{SMALL.path}: the builder has other levels" in list(witness_problems(SMALL, found, other))
    compiled = replace(found, compiled=other)
    assert f"{SMALL.path}: the compiled decoder has other levels" in list(witness_problems(SMALL, compiled, {}))


def test_a_single_witness_is_not_enough() -> None:
    alone = list(witness_problems(SMALL, found_in(SMALL, compiled=False), {}))
    others = [stage for stage in STAGES if stage not in nncodec()[SMALL.path]["agrees"]]
    assert alone == [f"{SMALL.path}: only the interpreted decoder witnesses its {stage}" for stage in others]
    assert others


def test_claims_that_do_not_hold_are_problems() -> None:
    (stream,) = (one for one in corpus_streams() if one.path.endswith(SMALL.path))
    assert list(claim_problems(stream)) == []
    assert "not nonconforming" in next(claim_problems(replace(stream, verdict="nonconforming")))
    assert "lacks ['unit_underrun']" in next(claim_problems(replace(stream, diagnostics=frozenset({"unit_underrun"}))))
    assert "no requirement R-XX-99" in next(claim_problems(replace(stream, requirements=("R-XX-99",))))


def test_a_sidecar_is_what_studying_the_stream_gives() -> None:
    assert as_text(study(SMALL).row) == data_path(SIDECARS[SMALL.path]).read_text(encoding="utf-8")


def test_values_in_sidecars_are_exact() -> None:
    values = np.array([0.1, -0.0, 1e-45, 3.4028235e38, np.inf, -np.inf, np.nan], np.float32)
    row = yaml.safe_load(as_text(listed(values)))
    again = np.array([float(one) for one in row["values"]], np.float32)
    assert again.view(np.uint32).tolist() == values.view(np.uint32).tolist()
    assert listed(np.array([True, False]))["values"] == [True, False]
    assert listed(np.array(-7, np.int8)) == {"dtype": "int8", "shape": [], "values": [-7]}


def test_changed_missing_and_stray_files_are_noticed_and_written_again(tmp_path: Path) -> None:
    wanted = {"core/10-a-01.nnr": b"1", "requirements/6/6-b-01.nnr": b"2"}
    assert sorted(files.write(tmp_path, wanted, ".nnr")) == [f"wrote {name}" for name in sorted(wanted)]
    assert list(files.write(tmp_path, wanted, ".nnr")) == []
    (tmp_path / "core/10-a-01.nnr").write_bytes(b"3")
    (tmp_path / "requirements/6/6-b-01.nnr").unlink()
    (tmp_path / "core/10-c-01.nnr").write_bytes(b"")
    assert list(files.differences(tmp_path, wanted)) == [
        "bitstreams/core/10-a-01.nnr: differs from what the recipe gives",
        "bitstreams/requirements/6/6-b-01.nnr: is missing",
    ]
    assert len(list(files.write(tmp_path, wanted, ".nnr"))) == 3
    assert not (tmp_path / "core/10-c-01.nnr").exists()


def test_the_command_verifies_and_says_how_much(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "--jobs", "1"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(f"{len(GOLDEN)} streams (")
    assert printed.endswith("; 0 differ\n")
