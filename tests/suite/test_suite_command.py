"""nnr-suite: what it prints, what it refuses, how it ends."""

from __future__ import annotations

import re
import sys

import pytest

from nnr_conformance.cli import suite
from nnr_conformance.cli.suite import main
from nnr_conformance.suite.registry import GROUPS, load_divergences, load_requirements


def numbers(printed: str, heading: str) -> dict[str, list[int]]:
    """The numbers of the table under a heading, by the first word of each line."""
    table = printed.split(f"\n{heading} ")[1].split("\n\n", maxsplit=1)[0].splitlines()[1:]
    return {line.split()[0]: [int(cell) for cell in re.findall(r"(?<= )\d+(?= |$)", line)] for line in table}


@pytest.fixture
def counts(capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["spec"]) == 0
    return capsys.readouterr().out


def test_the_counts_add_up_by_status_by_confidence_and_by_group(counts: str) -> None:
    total = len(load_requirements())
    assert counts.startswith(f"requirements: {total}\n")
    assert f"divergences of NNCodec: {len(load_divergences())} " in counts
    for heading in ("status", "confidence"):
        assert sum(row[0] for row in numbers(counts, heading).values()) == total


def test_the_groups_have_their_rows_by_status(counts: str) -> None:
    by_group = numbers(counts, "group")
    assert list(by_group) == [group.letters for group in GROUPS]
    for rows, *by_status in (row[:5] for row in by_group.values()):
        assert rows == sum(by_status)
    by_status = numbers(counts, "status")
    columns = [sum(row[column] for row in by_group.values()) for column in range(1, 5)]
    assert columns == [row[0] for row in by_status.values()]


def test_the_output_fits_80_columns(counts: str, capsys: pytest.CaptureFixture[str]) -> None:
    for identifier in load_requirements():
        assert main(["spec", "--requirement", identifier]) == 0
    assert max(map(len, (counts + capsys.readouterr().out).splitlines())) <= 80


def test_a_requirement_is_shown_with_its_diagnostics_divergences_and_elements(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["spec", "--requirement", "r-ndu-26"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("R-NDU-26\n  scan_order is 0 to 4")
    assert "evidence    P2 behaviour of NNCodec 2.1.3" in printed
    assert "elements    scan_order" in printed
    assert "scan_order_reserved (error)" in printed
    assert "D-47 (1.0 and 2.1.3, reject)" in printed


def test_an_excluded_requirement_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["spec", "--requirement", "R-CB-03"]) == 0
    assert "excluded: the syntax leaves no choice" in capsys.readouterr().out


@pytest.mark.parametrize(("identifier", "hint"), [("R-NDU-99", "did you mean R-NDU-"), ("x", "such as R-NDU-26")])
def test_an_unknown_requirement_is_wrong_use(identifier: str, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["spec", "--requirement", identifier]) == 2
    assert hint in capsys.readouterr().err


def test_check_ends_well_when_nothing_is_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(suite, "problems", list)
    assert main(["spec", "--check"]) == 0
    assert "spec/ is consistent" in capsys.readouterr().out


def test_check_lists_problems_and_fails(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(suite, "problems", lambda: ["R-GEN-01: wrong", "R-GEN-02: wrong"])
    assert main(["spec", "--check"]) == 1
    assert capsys.readouterr().out == "R-GEN-01: wrong\nR-GEN-02: wrong\n2 problems in spec/\n"


def test_check_without_jsonschema_is_wrong_use_and_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    assert main(["spec", "--check"]) == 2
    assert "pip install jsonschema" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [[], ["build-everything"], ["spec", "--check", "--requirement", "R-NDU-26"], ["spec", "stream.nnr"]]
)
def test_wrong_use_ends_with_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2


@pytest.mark.parametrize("arguments", [["--help"], ["spec", "--help"]])
def test_help_names_exit_codes_and_an_example(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 0
    printed = capsys.readouterr().out
    assert "exit codes: 0 all is well" in printed
    assert "example: nnr-suite spec" in printed
