"""What becomes of mutants: killed, survived, not reached, equivalent; in a file, and again."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from nnr_conformance.errors import UsageError
from nnr_conformance.suite.mutation.cases import Case, stored_cases
from nnr_conformance.suite.mutation.mutants import Mutant, Sources
from nnr_conformance.suite.mutation.reach import Baseline, baseline
from nnr_conformance.suite.mutation.runner import Journal, Result, run_mutants, seeded_sample
from nnr_conformance.suite.mutation.summary import count, survivors, table

STREAMS = ("examples/ex1_ed1_plain.nnr", "examples/ex3_ed1_block_entrypoints.nnr")
SOURCES = Sources.installed()


@pytest.fixture(scope="module")
def cases() -> tuple[Case, ...]:
    return tuple(case for case in stored_cases(4096) if case.name in STREAMS and case.way != "transmitted")


@pytest.fixture(scope="module")
def known(cases: tuple[Case, ...]) -> Baseline:
    return baseline(SOURCES, cases, 2, None)


def mutant_of(module: str, operator: str, before: str, after: str) -> Mutant:
    """The mutant that changes a line so."""
    found = [
        mutant
        for mutant in SOURCES.mutants([module])
        if mutant.operator == operator and SOURCES.changed(mutant) == ([before], [after])
    ]
    assert len(found) == 1, (module, operator, before)
    return found[0]


@pytest.fixture
def killed() -> Mutant:
    return mutant_of("entropy.engine", "constant", "engine[RANGE] = 510", "engine[RANGE] = 511")


@pytest.fixture
def survivor() -> Mutant:
    return mutant_of("entropy.capacity", "constant", "LARGEST_UNARY_LENGTH = 256", "LARGEST_UNARY_LENGTH = 257")


@pytest.fixture
def endless(killed: Mutant) -> Mutant:
    assert killed.edit is not None
    return replace(killed, edit=replace(killed.edit, text="any(iter(int, 1))"))


def state(mutant: Mutant, known: Baseline, reasons: dict[str, str] | None = None) -> Result:
    return run_mutants(SOURCES, [mutant], known, jobs=1, reasons=reasons or {})[0]


def test_a_fault_that_changes_levels_is_killed_by_the_smallest_stream(killed: Mutant, known: Baseline) -> None:
    result = state(killed, known)
    assert result.state == "killed"
    assert result.stream == "examples/ex1_ed1_plain.nnr (model)"
    assert result.by in {"levels", "diagnostics"}


def test_a_fault_in_a_function_and_the_same_on_import_have_the_same_result(killed: Mutant, known: Baseline) -> None:
    assert not known.acts_on_import(killed)
    on_import = replace(killed, lines=())
    assert known.acts_on_import(on_import)
    assert state(killed, known) == state(on_import, known)


def test_a_fault_on_import_that_raises_is_killed(known: Baseline) -> None:
    mutant = SOURCES.mutants(["syntax.enumerations"])[0]
    assert mutant.edit is not None
    assert state(replace(mutant, edit=replace(mutant.edit, text="1 // 0")), known) == Result(
        mutant.id, "killed", "", "ZeroDivisionError on import"
    )


def test_a_wrong_entry_of_a_table_is_killed(known: Baseline) -> None:
    mutants = [mutant for mutant in SOURCES.mutants(["tables"]) if mutant.id.startswith("tables:init_sets:")]
    first = [mutant for mutant in mutants if mutant.table is not None and mutant.table.place == (0, "a0")]
    assert [state(mutant, known).state for mutant in first] == ["killed"]


def test_a_fault_that_no_stream_shows_survives_and_is_listed(survivor: Mutant, known: Baseline) -> None:
    result = state(survivor, known)
    assert result.state == "survived"
    assert [*survivors(SOURCES, [survivor], [result])] == [
        f"survived: {survivor.id} (line {survivor.line})",
        "    - LARGEST_UNARY_LENGTH = 256",
        "    + LARGEST_UNARY_LENGTH = 257",
    ]


def test_a_fault_that_no_stream_reaches_counts_as_survivor(known: Baseline) -> None:
    mutant = next(one for one in SOURCES.mutants(["entropy.row_skip"]) if one.lines)
    result = state(mutant, known)
    assert result.state == "not reached"
    counted = count([result])
    assert (counted.survived, counted.not_reached, counted.percent) == (1, 1, 0.0)


def test_an_equivalent_mutant_is_not_run_and_not_counted(killed: Mutant, survivor: Mutant, known: Baseline) -> None:
    results = run_mutants(SOURCES, [killed, survivor], known, jobs=1, reasons={survivor.id: "no stream can"})
    assert [result.state for result in results] == ["killed", "equivalent"]
    assert count(results).percent == 100.0
    assert [*table([killed, survivor], results)][-1].split() == ["all", "2", "1", "0", "0", "1", "100.0%"]


def test_a_mutant_that_loops_for_ever_is_killed_by_time(endless: Mutant, known: Baseline) -> None:
    assert state(endless, known) == Result(endless.id, "killed", "examples/ex1_ed1_plain.nnr (model)", "time")


def test_a_mutant_that_takes_all_memory_is_killed(endless: Mutant, known: Baseline) -> None:
    assert endless.edit is not None
    greedy = replace(endless, edit=replace(endless.edit, text="bytearray(1 << 45)"))
    assert state(greedy, known).by == "MemoryError"


def test_a_mutant_that_ends_the_process_is_killed(endless: Mutant, known: Baseline) -> None:
    assert endless.edit is not None
    ended = replace(endless, edit=replace(endless.edit, text="__import__('os').kill(__import__('os').getpid(), 9)"))
    assert state(ended, known).by == "signal 9"


def test_two_runs_have_the_same_results_whatever_the_number_of_jobs(known: Baseline) -> None:
    sample = seeded_sample(SOURCES.mutants(["bits", "entropy.rows"]), 12, 5)
    assert sample == seeded_sample(SOURCES.mutants(["bits", "entropy.rows"]), 12, 5)
    assert run_mutants(SOURCES, sample, known, jobs=1) == run_mutants(SOURCES, sample, known, jobs=3)


def test_the_decoder_of_the_process_that_runs_mutants_stays_the_same(killed: Mutant, known: Baseline) -> None:
    before = {name: id(module) for name, module in sys.modules.items() if name.startswith("nnr_conformance")}
    state(killed, known)
    after = {name: id(module) for name, module in sys.modules.items() if name.startswith("nnr_conformance")}
    assert after == before


def test_a_run_is_taken_up_where_it_ended(
    killed: Mutant, survivor: Mutant, known: Baseline, cases: tuple[Case, ...], tmp_path: Path
) -> None:
    mutants = [killed, survivor]
    journal = Journal(tmp_path / "results", SOURCES, cases)
    assert journal.read() == {}
    whole = run_mutants(SOURCES, mutants, known, jobs=2, on_result=journal.add)
    lines = (tmp_path / "results").read_text().splitlines(keepends=True)
    assert [json.loads(line)["id"] for line in lines[1:]] == [mutant.id for mutant in mutants]
    (tmp_path / "results").write_text("".join(lines[:2]) + lines[2][:9])  # ended while it wrote

    run: list[Result] = []
    finished = journal.read()
    assert [*finished] == [killed.id]
    again = run_mutants(SOURCES, mutants, known, jobs=2, finished=finished, on_result=run.append)
    assert again == whole
    assert [result.id for result in run] == [survivor.id]


def test_results_of_other_streams_are_refused(cases: tuple[Case, ...], tmp_path: Path) -> None:
    Journal(tmp_path / "results", SOURCES, cases).read()
    with pytest.raises(UsageError, match="not of this decoder"):
        Journal(tmp_path / "results", SOURCES, cases[:1]).read()


def test_what_streams_reach_is_measured_once_for_a_cache(cases: tuple[Case, ...], tmp_path: Path) -> None:
    first = baseline(SOURCES, cases[:1], 1, tmp_path)
    (file,) = tmp_path.iterdir()
    changed = file.stat().st_mtime_ns
    assert baseline(SOURCES, cases[:1], 1, tmp_path) == first
    assert file.stat().st_mtime_ns == changed


def test_cases_are_smallest_first_and_updates_stand_behind_their_predecessors() -> None:
    found = stored_cases(20_000)
    assert [case.size for case in found] == sorted(case.size for case in found)
    last = next(case for case in found if case.name.endswith("s11_pnet_diff_tca_hdsp.s3.nnc"))
    assert len(last.streams) == 4
    assert any(case.name.startswith("requirements/") and case.options.get("limits") for case in found)
    assert len({case.content for case in found}) == len(found)
