"""nnr-suite mutate --decoder: what it prints, and how it ends."""

from __future__ import annotations

import json

import pytest

from nnr_conformance.cli.suite import main
from nnr_conformance.data import load_yaml
from nnr_conformance.suite.mutation import equivalents
from nnr_conformance.suite.mutation.mutants import Sources


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A run on the smallest streams, which measures what they reach but once."""
    return ["mutate", "--decoder", "--largest", "20", "--jobs", "2", "--cache", str(tmp_path_factory.mktemp("cache"))]


@pytest.fixture
def options(few: list[str]) -> list[str]:
    return [*few, "--module", "framing", "--sample", "6"]


def test_a_sample_has_a_table_and_its_survivors(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(options) == 0
    printed = capsys.readouterr().out
    assert "\nframing                        6 " in printed
    assert printed.splitlines()[-3].startswith("all                            6 ")


def test_json_has_every_mutant_with_what_it_changes(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*options, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["total"]["mutants"] == len(found["mutants"]) == 6
    assert all(row["before"] != row["after"] for row in found["mutants"])


def test_fewer_killed_than_the_minimum_fails(options: list[str]) -> None:
    assert main([*options, "--minimum", "100.5"]) == 1


def test_a_single_mutant_is_shown_as_a_diff_with_the_stream_that_kills_it(
    few: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    sources = Sources.installed()
    change = (["number = 0"], ["number = 1"])
    mutant = next(one for one in sources.mutants(["framing"]) if sources.changed(one) == change)
    assert main([*few, "--mutant", mutant.id]) == 0
    printed = capsys.readouterr().out
    assert "-    number = 0\n+    number = 1\n" in printed
    assert "killed by requirements/" in printed


def test_a_list_runs_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mutate", "--decoder", "--list", "--module", "framing"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[-1] == f"{len(printed) - 1} mutants"
    assert all(line.startswith("framing:") for line in printed[:-1])


@pytest.mark.parametrize(
    "arguments", [["--decoder", "--module", "nothing", "--list"], ["--decoder", "--mutant", "nothing", "--list"]]
)
def test_unknown_names_are_wrong_use(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mutate", *arguments]) == 2
    assert "nothing" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["mutate"], ["mutate", "--rules", "--decoder"]])
def test_rules_or_decoder_must_be_chosen(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2


def test_every_equivalent_mutant_exists() -> None:
    assert not equivalents.unknown(mutant.id for mutant in Sources.installed().mutants())


def test_no_mutant_is_equivalent_for_two_reasons() -> None:
    rows = [row for name in equivalents.equivalent_files() for row in load_yaml(name)]
    ids = [identifier for row in rows for identifier in row["ids"]]
    assert len(ids) == len(set(ids))
