"""Streams of the field: where they are found, what they are called, what becomes of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from nnr_conformance.errors import UsageError
from nnr_conformance.suite.runner.driver import run_case
from nnr_conformance.suite.runner.field_streams import CHECKER, field_cases
from nnr_conformance.suite.runner.model import Result
from nnr_conformance.suite.runner.sources import source_bytes
from tests.suite.runner.cases_for_tests import ROOT, UPDATE, case_of

GOOD = source_bytes(ROOT.source)
BAD = source_bytes(case_of("requirements/10/10-terminate-missing-02").source)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("b/2.nnr", "b/10.nnr", "a.nnc", "ü .nnr", "b/c/d.nnr", "notes.txt"):
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(GOOD)
    return tmp_path / "tree"


def test_a_tree_gives_its_streams_by_their_paths_in_order(tree: Path):
    cases = [*field_cases([str(tree)])]
    assert [case.id for case in cases] == ["a.nnc", "b/10.nnr", "b/2.nnr", "b/c/d.nnr", "ü .nnr"]
    assert all(source_bytes(case.source) == GOOD for case in cases)
    assert all((case.kind, case.verdict) == ("field", "") for case in cases)


def test_links_that_lead_around_in_circles_are_not_followed(tree: Path):
    (tree / "b" / "up").symlink_to(tree)
    assert len([*field_cases([str(tree)])]) == 5


def test_a_file_that_is_named_is_taken_whatever_its_suffix(tree: Path):
    assert [case.id for case in field_cases([str(tree / "notes.txt")])] == ["notes.txt"]


def test_several_places_are_told_apart(tree: Path):
    other = tree.parent / "other" / "tree"
    other.mkdir(parents=True)
    (other / "a.nnc").write_bytes(GOOD)
    assert [case.id for case in field_cases([str(tree / "b"), str(other)])][-1] == "tree/a.nnc"
    names = [case.id for case in field_cases([str(tree), str(other)])]
    assert len({*names}) == len(names) == 6


@pytest.mark.parametrize("places", [["nowhere"], ["."], [".", "."]])
def test_places_without_streams_and_places_named_twice_are_wrong_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, places: list[str]
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError):
        list(field_cases(places))


def test_urls_give_the_same_cases(tree: Path):
    pytest.importorskip("fsspec")
    plain, found = [*field_cases([str(tree)])], [*field_cases([f"file://{tree}"])]
    assert [case.id for case in found] == [case.id for case in plain]
    assert all(source_bytes(case.source) == GOOD for case in found)
    assert [case.id for case in field_cases([f"file://{tree}/b/*.nnr"])] == ["10.nnr", "2.nnr"]
    assert [case.id for case in field_cases([f"file://{tree}/a.nnc"])] == ["a.nnc"]


def test_a_url_that_cannot_be_reached_is_wrong_use(tmp_path: Path):
    pytest.importorskip("fsspec")
    for url in ("nosuchprotocol://x/y.nnr", f"file://{tmp_path}/nowhere.nnr"):
        with pytest.raises(UsageError):
            list(field_cases([url]))


def test_without_a_decoder_streams_are_checked(tmp_path: Path):
    (tmp_path / "good.nnr").write_bytes(GOOD)
    (tmp_path / "bad.nnr").write_bytes(BAD)
    (tmp_path / "lonely.nnr").write_bytes(source_bytes(UPDATE.source))
    results = {case.id: run_case(CHECKER, case) for case in field_cases([str(tmp_path)])}
    assert {name: one.result for name, one in results.items()} == {
        "good.nnr": Result.PASS,
        "bad.nnr": Result.REJECTED,
        "lonely.nnr": Result.NOT_SUPPORTED,
    }
    assert "terminate_missing" in results["bad.nnr"].detail


def test_a_stream_that_is_gone_is_not_supported_and_ends_no_run(tmp_path: Path):
    (tmp_path / "good.nnr").write_bytes(GOOD)
    (case,) = field_cases([str(tmp_path)])
    (tmp_path / "good.nnr").unlink()
    result = run_case(CHECKER, case)
    assert result.result is Result.NOT_SUPPORTED
    assert result.detail == "the stream cannot be read: No such file or directory"
