"""Commands that decode, reject, crash, hang, take memory, leave children, write garbage."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nnr_conformance.errors import UsageError
from nnr_conformance.suite.runner.implementation import Bounds, Implementation
from nnr_conformance.suite.runner.model import Case, Ending
from nnr_conformance.suite.runner.outputs import read_output
from tests.suite.runner.cases_for_tests import ROOT, SHORT, UPDATE, WITH_BASE, WITH_SETTINGS, ask, script

WRITES = f"""
sys.path[:0] = {sys.path!r}
from nnr_conformance.tensor_files import open_writer, read_tensors
import numpy as np
def write(path, **arrays):
    with open_writer(path) as writer:
        for name, array in arrays.items():
            writer.write(name, np.asarray(array, np.float32))
"""
"""What a little decoder needs to write tensors."""


def test_what_a_decoder_writes_is_its_answer(tmp_path: Path):
    decoder = script(tmp_path, f"{WRITES}\nwrite(argv[2], w=list(Path(argv[1]).read_bytes()))")
    answer = ask(decoder, ROOT, tmp_path)
    assert (answer.ending, answer.said, answer.code) == (Ending.DECODED, "", 0)
    assert answer.folder is not None
    assert answer.seconds > 0
    assert answer.peak_bytes > 1 << 20
    found = read_output(answer.folder).tensors
    assert found is not None
    np.testing.assert_array_equal(found["w"][:3], [0, 4, 2])


@pytest.mark.parametrize(
    ("source", "ending", "said"),
    [
        ("print('no such unit', file=sys.stderr); sys.exit(1)", Ending.REJECTED, "no such unit"),
        ("print('only here'); sys.exit(2)", Ending.REJECTED, "only here"),
        ("sys.exit(3)", Ending.NOT_SUPPORTED, ""),
        ("sys.exit(4)", Ending.UNDECLARED, "exit code 4"),
        ("os.abort()", Ending.SIGNALLED, "SIGABRT"),
        ("os.kill(os.getpid(), 11)", Ending.SIGNALLED, "SIGSEGV"),
        ("raise ValueError('not this\\nnor that')", Ending.UNDECLARED, "ValueError: not this"),
        (
            "print('Traceback (most recent call last):\\n  File \"cut', file=sys.stderr); sys.exit(1)",
            Ending.UNDECLARED,
            "a traceback without its end",
        ),
        ("raise KeyError('declared')", Ending.REJECTED, "KeyError: 'declared'"),
        ("", Ending.UNDECLARED, "decoded, it says, but wrote no tensors"),
        ("Path(argv[2]).mkdir()", Ending.UNDECLARED, "decoded, it says, but wrote no tensors"),
        (
            "Path(argv[2]).write_bytes(b'PK garbage')",
            Ending.UNDECLARED,
            "cannot read tensors.npz: File is not a zip file",
        ),
        ("print(argv[1], file=sys.stderr); sys.exit(1)", Ending.REJECTED, "streams/0000.nnr"),
        ("print('\\x1b[31mred', file=sys.stderr); sys.exit(1)", Ending.REJECTED, "[31mred"),
    ],
)
def test_an_end_means_what_is_declared_and_nothing_else(tmp_path: Path, source: str, ending: Ending, said: str):
    declared = {"rejection_codes": (1, 2), "unsupported_codes": (3,), "rejections": ("builtins.KeyError",)}
    answer = ask(replace(script(tmp_path, source), **declared), ROOT, tmp_path)
    assert (answer.ending, answer.said) == (ending, said)


def test_who_takes_too_long_is_ended_with_its_children(tmp_path: Path):
    source = f"""
    if os.fork() == 0:
        Path({str(tmp_path)!r}, "child").write_text(str(os.getpid()))
        time.sleep(60)
    time.sleep(60)
    """
    decoder = script(tmp_path, source, bounds=Bounds(seconds=1.0))
    begin = time.monotonic()
    answer = ask(decoder, ROOT, tmp_path)
    assert (answer.ending, answer.said) == (Ending.TIMED_OUT, "took longer than 1 s")
    assert time.monotonic() - begin < 10
    assert has_ended(int((tmp_path / "child").read_text()))


def test_children_that_are_left_behind_do_not_delay_the_answer_and_are_ended(tmp_path: Path):
    source = f"""
    if os.fork() == 0:
        Path({str(tmp_path)!r}, "child").write_text(str(os.getpid()))
        time.sleep(60)
    while not Path({str(tmp_path)!r}, "child").exists():
        time.sleep(0.01)
    sys.exit(1)
    """
    begin = time.monotonic()
    answer = ask(script(tmp_path, source), ROOT, tmp_path)
    assert answer.ending is Ending.REJECTED
    assert time.monotonic() - begin < 10
    assert has_ended(int((tmp_path / "child").read_text()))


def has_ended(process: int) -> bool:
    for _ in range(100):
        try:
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def test_memory_is_bounded(tmp_path: Path):
    answer = ask(script(tmp_path, "x = bytearray(2 << 30)"), ROOT, tmp_path)
    assert (answer.ending, answer.said) == (Ending.UNDECLARED, "MemoryError")


def test_what_is_written_is_bounded(tmp_path: Path):
    source = "file = open(argv[2], 'wb')\nfor _ in range(64): file.write(bytes(1 << 20))"
    answer = ask(script(tmp_path, source, bounds=replace(SHORT, output=8 << 20)), ROOT, tmp_path)
    assert answer.ending is Ending.UNDECLARED
    assert answer.said.startswith("OSError")


def test_who_talks_without_end_is_heard_a_little(tmp_path: Path):
    source = "for _ in range(1000): sys.stderr.write('word ' * 10000)\nsys.exit(1)"
    answer = ask(script(tmp_path, source), ROOT, tmp_path)
    assert answer.ending is Ending.REJECTED
    assert answer.said.startswith("word word")
    assert len(answer.said) <= 200


def test_nothing_can_be_read_from_standard_input(tmp_path: Path):
    assert (
        ask(script(tmp_path, "sys.exit(1 if sys.stdin.read() == '' else 4)"), ROOT, tmp_path).ending is Ending.REJECTED
    )


def test_a_command_that_is_not_there_is_wrong_use(tmp_path: Path):
    with pytest.raises(UsageError, match="cannot run /no/such/decoder"):
        ask(Implementation("x", "1", decoder="/no/such/decoder {stream}"), ROOT, tmp_path)


def test_a_chain_is_given_as_a_whole_to_who_takes_several_streams(tmp_path: Path):
    source = "print(*[Path(one).stat().st_size for one in argv[2:]]); sys.exit(1)"
    answer = ask(script(tmp_path, source, "{tensors} {streams}"), UPDATE, tmp_path)
    assert answer.said == "37 36"


def test_a_chain_is_given_step_by_step_to_who_takes_a_base(tmp_path: Path):
    source = f"""{WRITES}
base = dict(read_tensors(argv[2]).items()) if len(argv) == 4 else {{}}
write(argv[-1], w=[*base.get("w", []), Path(argv[1]).stat().st_size])
"""
    answer = ask(script(tmp_path, source, "{stream} [{base}] {tensors}"), UPDATE, tmp_path)
    assert answer.ending is Ending.DECODED
    assert answer.folder is not None
    found = read_output(answer.folder).tensors
    assert found is not None
    np.testing.assert_array_equal(found["w"], [37, 36])


def test_a_chain_ends_at_the_step_that_fails(tmp_path: Path):
    answer = ask(script(tmp_path, "sys.exit(1)", "{stream} {base} {tensors}"), UPDATE, tmp_path)
    assert (answer.ending, answer.said) == (Ending.REJECTED, "stream 1 of 2: ")


def test_a_step_with_damaged_tensors_is_no_failure_of_the_run(tmp_path: Path):
    source = f"""{WRITES}
write(argv[3], w=[1.0])
data = bytearray(Path(argv[3]).read_bytes())
data[data.index(b"NUMPY") + 2] ^= 1
Path(argv[3]).write_bytes(data)
"""
    answer = ask(script(tmp_path, source, "{stream} {base} {tensors}"), UPDATE, tmp_path)
    assert answer.ending is Ending.UNDECLARED
    assert answer.said.startswith("stream 1 of 2: cannot read tensors.npz")


@pytest.mark.parametrize(
    ("case", "lacks"),
    [(UPDATE, "several streams or a base model"), (WITH_BASE, "a base model"), (WITH_SETTINGS, "out of band")],
)
def test_a_case_that_cannot_be_given_is_not_supported(tmp_path: Path, case: Case, lacks: str):
    answer = ask(script(tmp_path, "sys.exit(4)"), case, tmp_path)
    assert (answer.ending, answer.said) == (Ending.NOT_SUPPORTED, f"the command has no place for {lacks}")


def test_base_and_settings_are_files(tmp_path: Path):
    source = f"{WRITES}\nprint(*read_tensors(argv[2])['w'].reshape(-1)); sys.exit(1)"
    assert ask(script(tmp_path, source, "{stream} {base}"), WITH_BASE, tmp_path).said == "1.5 -2.0 0.5 0.25 4.0 -8.0"
    (tmp_path / "output").rename(tmp_path / "done")
    source = "print(Path(argv[2]).read_text()); sys.exit(1)"
    answer = ask(script(tmp_path, source, "{stream} {settings}"), WITH_SETTINGS, tmp_path)
    assert json.loads(answer.said) == dict(WITH_SETTINGS.check)


def test_the_environment_that_is_declared_is_there_and_temporary_files_are_of_the_case(tmp_path: Path):
    source = "import tempfile\nprint(os.environ['MINE'], tempfile.mkdtemp()); sys.exit(1)"
    decoder = replace(script(tmp_path, source), environment={"MINE": "yes"})
    answer = ask(decoder, ROOT, tmp_path)
    assert answer.said.startswith("yes tmp")
    assert len([*(tmp_path / "output" / "given").glob("tmp*")]) == 1


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="what is taken away is not there")
def test_the_end_is_seen_where_the_system_cannot_tell_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delattr(os, "pidfd_open")
    assert ask(script(tmp_path, "time.sleep(0.1); sys.exit(1)"), ROOT, tmp_path).ending is Ending.REJECTED
