"""The mutation fuzzer: every run can be repeated, and whatever goes wrong is found and named by its run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections import Counter
from importlib import import_module
from pathlib import Path
from random import Random

import pytest

from fuzz.byte_edits import BYTE_EDITS
from fuzz.element_edits import ELEMENT_EDITS, overwritten, recode_an_element
from fuzz.examination import Observation, examine
from fuzz.mutate import main
from fuzz.mutation import Mutator
from fuzz.streams import Corpus, Subject, read_corpus
from fuzz.unit_edits import UNIT_EDITS, change_a_size, edit_a_unit, enclose_units, spare_units, travel_in_parts
from nnr_conformance import Verdict, check
from nnr_conformance.bits import BitReader

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "bitstreams" / "examples"


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return read_corpus([str(EXAMPLES)])[0]


def run(capfd: pytest.CaptureFixture[str], *arguments: str, **more: object) -> tuple[int, str]:
    code = main(["--streams", str(EXAMPLES), *arguments], **more)  # type: ignore[arg-type]
    return code, capfd.readouterr().out


def raises_for_odd_sizes(data: bytes, choice: int) -> Observation:
    if len(data) % 2:
        raise ZeroDivisionError("planted")
    return Observation("conforming", frozenset())


def hangs_for_one_run(data: bytes, choice: int) -> Observation:
    if choice == Mutator(read_corpus([str(EXAMPLES)])[0], 0).mutant(5).choice:
        time.sleep(60)
    return Observation("conforming", frozenset())


def ends_the_process(data: bytes, choice: int) -> Observation:
    if choice % 4 == 1:
        os._exit(9)
    return Observation("conforming", frozenset())


def takes_memory(data: bytes, choice: int) -> Observation:
    if choice % 8 == 1:
        bytearray(b"x") * (80 << 20)
    return Observation("conforming", frozenset())


def takes_time(data: bytes, choice: int) -> Observation:
    end = time.process_time() + (0.2 if choice % 8 == 1 else 0)
    while time.process_time() < end:
        """Work without an end in sight."""
    return Observation("conforming", frozenset())


def test_a_run_is_the_same_stream_whatever_ran_before(corpus: Corpus) -> None:
    forth = [Mutator(corpus, 7).mutant(number) for number in range(60)]
    mutator = Mutator(corpus, 7)
    back = [mutator.mutant(number) for number in reversed(range(60))]
    assert forth == back[::-1]
    assert forth != [Mutator(corpus, 8).mutant(number) for number in range(60)]
    assert len({mutant.data for mutant in forth}) > 55


def test_a_run_is_the_same_stream_in_another_process(corpus: Corpus) -> None:
    script = (
        "from fuzz.streams import read_corpus; from fuzz.mutation import Mutator\n"
        f"m = Mutator(read_corpus([{str(EXAMPLES)!r}])[0], 3)\n"
        "print(*[m.mutant(n).data.hex() for n in range(40)])"
    )
    environment = os.environ | {"PYTHONHASHSEED": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment)
    mutator = Mutator(corpus, 3)
    assert done.stdout.split() == [mutator.mutant(number).data.hex() for number in range(40)]


def test_every_edit_is_used(corpus: Corpus) -> None:
    mutator = Mutator(corpus, 1)
    used = Counter(edit for number in range(1500) for edit in mutator.mutant(number).edits)
    assert set(used) == {edit.__name__ for edit in (*BYTE_EDITS, *UNIT_EDITS, *ELEMENT_EDITS)}
    assert min(used.values()) > 10


def test_small_streams_are_taken_more_often_than_large_ones(corpus: Corpus) -> None:
    mutator = Mutator(corpus, 2)
    taken = Counter(mutator.mutant(number).origin for number in range(1000))
    assert set(taken) == {subject.name for subject in corpus.subjects}
    assert taken["ex1_ed1_plain.nnr"] > 2 * taken["ex3_ed1_block_entrypoints.nnr"]


def test_the_package_has_no_violation_in_some_runs(capfd: pytest.CaptureFixture[str]) -> None:
    code, out = run(capfd, "--runs", "300", "--seed", "5", "--jobs", "2")
    assert code == 0, out
    assert re.search(r"runs 300 \(\d+ also decoded\) in .* cases per second", out)
    assert "violations 0" in out
    assert int(re.search(r"distinct diagnostic codes (\d+)", out)[1]) > 30  # type: ignore[index]
    assert re.search(r"slowest \d.\d{3} s: run \d+, ex", out)


def test_a_planted_exception_is_found_and_named(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out = run(capfd, "--runs", "40", "--save", str(tmp_path), examine_case=raises_for_odd_sizes)
    assert code == 1
    mutator = Mutator(read_corpus([str(EXAMPLES)])[0], 0)
    odd = [number for number in range(40) if len(mutator.mutant(number).data) % 2]
    assert [int(number) for number in re.findall(r"exception: run (\d+),", out)] == odd
    assert "ZeroDivisionError: planted" in out
    saved = (tmp_path / f"run-{odd[0]}-exception.nnr").read_bytes()
    assert saved == mutator.mutant(odd[0]).data
    assert "planted" in (tmp_path / f"run-{odd[0]}-exception.txt").read_text()


def test_one_run_can_be_repeated_and_its_stream_saved(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out = run(capfd, "--only", "17", "--save", str(tmp_path))
    assert code == 0
    assert "runs 1 " in out
    expected = Mutator(read_corpus([str(EXAMPLES)])[0], 0).mutant(17)
    assert (tmp_path / "run-17-fine.nnr").read_bytes() == expected.data


@pytest.mark.parametrize("jobs", ["1", "3"])
def test_a_hang_is_reported_with_its_place_and_the_runs_go_on(capfd: pytest.CaptureFixture[str], jobs: str) -> None:
    code, out = run(capfd, "--runs", "20", "--hang", "1", "--jobs", jobs, examine_case=hangs_for_one_run)
    assert code == 1
    assert "runs 20 " in out
    assert re.findall(r"^(\w+): run (\d+),", out, re.MULTILINE) == [("hang", "5")]
    assert "in hangs_for_one_run" in out


def test_a_process_that_ends_is_a_crash_of_its_run(capfd: pytest.CaptureFixture[str]) -> None:
    code, out = run(capfd, "--runs", "12", examine_case=ends_the_process)
    mutator = Mutator(read_corpus([str(EXAMPLES)])[0], 0)
    ended = [number for number in range(12) if mutator.mutant(number).choice % 4 == 1]
    assert code == 1
    assert [int(number) for number in re.findall(r"crash: run (\d+),", out)] == ended
    assert "exit code 9" in out
    assert "runs 12 " in out


def test_memory_is_charged_to_the_run_that_took_it(capfd: pytest.CaptureFixture[str]) -> None:
    code, out = run(capfd, "--runs", "24", "--megabytes", "40", examine_case=takes_memory)
    mutator = Mutator(read_corpus([str(EXAMPLES)])[0], 0)
    greedy = [number for number in range(24) if mutator.mutant(number).choice % 8 == 1]
    assert code == 1
    assert [int(number) for number in re.findall(r"megabytes: run (\d+),", out)] == greedy


def test_processor_time_is_charged_to_the_run_that_took_it(capfd: pytest.CaptureFixture[str]) -> None:
    code, out = run(capfd, "--runs", "24", "--seconds", "0.1", "--hang", "60", examine_case=takes_time)
    mutator = Mutator(read_corpus([str(EXAMPLES)])[0], 0)
    slow = [number for number in range(24) if mutator.mutant(number).choice % 8 == 1]
    assert code == 1
    assert [int(number) for number in re.findall(r"seconds: run (\d+),", out)] == slow


def test_paths_that_lead_nowhere_are_wrong_use(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["--streams", str(tmp_path / "missing.nnr")]) == 2
    assert main(["--streams", str(tmp_path)]) == 2
    assert "there is no stream" in capsys.readouterr().err


def test_files_joined_by_plus_are_one_stream() -> None:
    names = ("ex4a_ed2_update1.nnr", "ex4b_ed2_update2_tca.nnr")
    corpus, _ = read_corpus(["+".join(str(EXAMPLES / name) for name in names)])
    assert corpus.subjects[0].data == b"".join((EXAMPLES / name).read_bytes() for name in names)


def test_large_streams_are_left_out_and_counted() -> None:
    corpus, skipped = read_corpus([str(EXAMPLES)], largest=100)
    assert max(len(subject.data) for subject in corpus.subjects) <= 100
    assert "ex3_ed1_block_entrypoints.nnr" in skipped


def test_edits_inside_a_unit_keep_the_frame(corpus: Corpus) -> None:
    random = Random(1)
    for subject in corpus.subjects:
        data = edit_a_unit(random, subject, corpus)
        assert data is not None
        assert "unit_exceeds_stream" not in {found.code for found in check(data).diagnostics}


def test_a_recoded_element_leaves_the_payload_of_its_unit(corpus: Corpus) -> None:
    random = Random(4)
    subject = next(one for one in corpus.subjects if one.name == "ex1_ed1_plain.nnr")
    before = subject.units[-1]
    payload = subject.data[before.payload_first : before.end]
    data = [recode_an_element(random, subject, corpus) for _ in range(40)]
    assert all(one is not None and one.endswith(payload) for one in data)
    assert len(set(data)) > 5


def test_other_units_read_as_what_they_are() -> None:
    assert len(Subject("", b"".join(spare_units())).units) == len(spare_units())


def test_a_payload_in_parts_in_order_is_the_same_stream(corpus: Corpus) -> None:
    subject = next(one for one in corpus.subjects if one.name == "ex7_ed2_handmade_maps_raw.nnr")
    verdicts = set()
    for seed in range(40):
        data = travel_in_parts(Random(seed), subject, corpus)
        assert data is not None
        verdicts.add(check(data).verdict)
    assert verdicts == {Verdict.CONFORMING, Verdict.NONCONFORMING}


def test_units_enclosed_by_an_aggregate_are_still_found(corpus: Corpus) -> None:
    subject = corpus.subjects[0]
    data = [enclose_units(Random(seed), subject, corpus) or b"" for seed in range(10)]
    assert all(any(place.unit_type == 6 for place in Subject("", one).units) for one in data)


def test_sizes_are_changed_where_the_size_field_is(corpus: Corpus) -> None:
    subject = corpus.subjects[0]
    for seed in range(20):
        data = change_a_size(Random(seed), subject, corpus)
        assert data is not None
        assert abs(len(data) - len(subject.data)) in {0, 2}


@pytest.mark.parametrize("size", [1, 3, 8, 13])
def test_overwritten_bits_are_those_and_no_others(size: int) -> None:
    data = bytes(range(100, 110))
    changed = overwritten(data, 11, size, 1)
    assert BitReader(changed, 11).bits(size) == 1
    assert BitReader(changed).bits(11) == BitReader(data).bits(11)
    rest = 80 - 11 - size
    assert BitReader(changed, 11 + size).bits(rest) == BitReader(data, 11 + size).bits(rest)


def test_examination_is_strict_about_warnings_and_verdicts() -> None:
    seen = examine((EXAMPLES / "ex1_ed1_plain.nnr").read_bytes(), 0)
    assert seen.verdict == "conforming"
    assert seen.decoded


@pytest.mark.parametrize("name", ["syntax", "entropy", "check"])
def test_a_harness_says_what_is_missing(name: str) -> None:
    script = f"import sys; sys.modules['atheris'] = None\nfrom fuzz.harness_{name} import *"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    script += "\nsys.exit(start('fuzz.x', load))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 2
    assert "pip install atheris" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["syntax", "entropy", "check"])
def test_a_harness_takes_any_bytes(name: str) -> None:
    one_input = import_module(f"fuzz.harness_{name}").load()
    random = Random(name)
    for data in (b"", *(path.read_bytes() for path in sorted(EXAMPLES.glob("*.nnr")))):
        one_input(data)
    for _ in range(50):
        one_input(random.randbytes(random.randrange(64)))
