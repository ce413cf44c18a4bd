"""Adapters that decode, reject, raise, crash, hang, take memory, print, fork; in a process for each case."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nnr_conformance.errors import UsageError
from nnr_conformance.suite.runner import forker
from nnr_conformance.suite.runner.handing_over import given_files
from nnr_conformance.suite.runner.implementation import Bounds
from nnr_conformance.suite.runner.loading import BUILT_IN
from nnr_conformance.suite.runner.model import Ending
from nnr_conformance.suite.runner.outputs import read_output
from nnr_conformance.suite.runner.processes import CAN_FORK, spawned
from tests.suite.runner.cases_for_tests import ROOT, SHORT, UPDATE, WITH_BASE, WITH_SETTINGS, adapter, ask

pytestmark = pytest.mark.skipif(not CAN_FORK, reason="processes cannot be forked safely")


@pytest.fixture(autouse=True)
def _modules_of_the_test_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.mark.parametrize(
    ("body", "ending", "said"),
    [
        ("return Decoding({'w': np.zeros(2, np.float32)})", Ending.DECODED, ""),
        ("raise Rejected('wrong here')", Ending.REJECTED, "Rejected: wrong here"),
        ("raise NotSupported('codebooks')", Ending.NOT_SUPPORTED, "codebooks"),
        ("raise Own('mine')", Ending.REJECTED, "Own: mine"),
        (
            "raise KeyError('a subclass of what is declared')",
            Ending.REJECTED,
            "KeyError: 'a subclass of what is declared'",
        ),
        ("raise ValueError('not declared')", Ending.UNDECLARED, "ValueError: not declared"),
        ("sys.exit(1)", Ending.UNDECLARED, "SystemExit: 1"),
        ("raise KeyboardInterrupt", Ending.UNDECLARED, "KeyboardInterrupt"),
        ("raise Mute('x')", Ending.UNDECLARED, "Mute"),
        ("os._exit(0)", Ending.UNDECLARED, "ended its process"),
        ("print('gone'); sys.stdout.flush(); os._exit(0)", Ending.UNDECLARED, "ended its process: gone"),
        ("os._exit(1)", Ending.UNDECLARED, "exit code 1"),
        ("os.abort()", Ending.SIGNALLED, "SIGABRT"),
        ("signal.raise_signal(signal.SIGSEGV)", Ending.SIGNALLED, "SIGSEGV"),
        ("return bytearray(2 << 30)", Ending.UNDECLARED, "MemoryError"),
        (
            "return None",
            Ending.UNDECLARED,
            "what it gave is no Decoding but NoneType",
        ),
        ("return Decoding([1])", Ending.UNDECLARED, "tensors is no mapping of names to arrays but list"),
        ("return Decoding({'w': 'text'})", Ending.UNDECLARED, "tensors 'w' is no array of numpy but str"),
        (
            "return Decoding({}, trace=(1 / 0 for _ in 'x'))",
            Ending.UNDECLARED,
            "ZeroDivisionError: division by zero",
        ),
        ("return Decoding({}, trace=[(0, 'w')])", Ending.UNDECLARED, None),
        ("while True: pass", Ending.TIMED_OUT, "took longer than 2 s"),
        ("signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)", Ending.TIMED_OUT, "took longer than 2 s"),
    ],
)
def test_an_end_means_what_is_declared_and_nothing_else(tmp_path: Path, body: str, ending: Ending, said: str | None):
    before = """
    class Own(Exception): pass
    class Mute(Exception):
        def __str__(self): raise ValueError
    """
    decoder = adapter(tmp_path, body, before, replace(SHORT, seconds=2.0))
    path = next(tmp_path.glob("adapter_of_*.py"))
    path.write_text(path.read_text().replace("    name =", "    rejections = (Own,)\n    name ="))
    answer = ask(replace(decoder, rejections=("builtins.LookupError",)), ROOT, tmp_path)
    assert answer.ending is ending
    assert said is None or answer.said == said


def test_a_case_is_given_whole(tmp_path: Path):
    body = """
    raise Rejected(f"{[len(one) for one in job.streams]} {dict(job.base)} {job.out_of_band} {job.settings}")
    """
    decoder = adapter(tmp_path, body)
    assert ask(decoder, UPDATE, tmp_path).said == "Rejected: [37, 36] {} {} {}"
    (tmp_path / "output").rename(tmp_path / "done")
    assert "'w': array([[ 1.5 , -2.  ,  0.5 ]" in ask(decoder, WITH_BASE, tmp_path).said
    (tmp_path / "output").rename(tmp_path / "done too")
    assert str(WITH_SETTINGS.check["out_of_band"]) in ask(decoder, WITH_SETTINGS, tmp_path).said


def test_tensors_levels_and_trace_come_back(tmp_path: Path):
    body = """
    arrays = {"": np.arange(3, dtype=np.int32), "/": np.float32(1.5).reshape(())}
    return Decoding(arrays, arrays, arrays, [Bin(0, "w", 1, 0, 5)])
    """
    answer = ask(adapter(tmp_path, body), ROOT, tmp_path)
    assert answer.folder is not None
    found = read_output(answer.folder)
    assert found.levels is not None
    assert found.trace is not None
    np.testing.assert_array_equal(found.levels[""], [0, 1, 2])
    assert [one.bit for one in found.trace] == [5]


def test_a_case_leaves_nothing_to_the_next_one(tmp_path: Path):
    decoder = adapter(tmp_path, "seen.append(1)\nraise Rejected(str(len(seen)))", "seen = []")
    for number in range(3):
        assert ask(decoder, ROOT, tmp_path).said == "Rejected: 1"
        (tmp_path / "output").rename(tmp_path / f"done {number}")


def test_the_adapter_is_imported_once(tmp_path: Path):
    before = f"open({str(tmp_path / 'imports')!r}, 'a').write('x')"
    decoder = adapter(tmp_path, "raise Rejected('')", before)
    for number in range(3):
        ask(decoder, ROOT, tmp_path)
        (tmp_path / "output").rename(tmp_path / f"done {number}")
    assert (tmp_path / "imports").read_text() == "x"


def test_who_prints_and_reads_disturbs_nothing(tmp_path: Path):
    body = """
    os.write(1, b'{"ready": 1}\\n' * 100000)
    os.write(2, b"x" * 1000000)
    return Decoding({"w": np.frombuffer(sys.stdin.read().encode() or b"e", np.uint8)})
    """
    answer = ask(adapter(tmp_path, body, "print('at import')\nsys.stdout.flush()"), ROOT, tmp_path)
    assert answer.ending is Ending.DECODED


def test_who_leaves_children_behind_leaves_none(tmp_path: Path):
    body = f"""
    process = os.fork()
    if process == 0:
        time.sleep(60)
    open({str(tmp_path / "child")!r}, "w").write(str(process))
    raise Rejected("")
    """
    begin = time.monotonic()
    assert ask(adapter(tmp_path, body), ROOT, tmp_path).ending is Ending.REJECTED
    assert time.monotonic() - begin < 10
    process = int((tmp_path / "child").read_text())
    for _ in range(100):
        state = Path(f"/proc/{process}/stat")
        if not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z":
            break
        time.sleep(0.05)
    else:
        pytest.fail("the child lives on")


def test_who_kills_the_process_that_forks_is_an_answer_and_the_next_case_runs(tmp_path: Path):
    body = """
    if len(job.streams) == 2:
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(60)
    raise Rejected("again")
    """
    decoder = adapter(tmp_path, body)
    answer = ask(decoder, UPDATE, tmp_path)
    assert (answer.ending, answer.said) == (Ending.UNDECLARED, "ended the process that runs it: its process has ended")
    (tmp_path / "output").rename(tmp_path / "done")
    assert ask(decoder, ROOT, tmp_path).said == "Rejected: again"


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ("raise RuntimeError('no licence')", "RuntimeError: no licence"),
        ("sys.exit(3)", "SystemExit: 3"),
        ("signal.raise_signal(signal.SIGSEGV)", "SIGSEGV"),
        ("import no_such_module", "No module named 'no_such_module'"),
        ("os.write(2, b'last words\\n'); os._exit(5)", "last words"),
    ],
)
def test_an_adapter_that_fails_on_import_is_wrong_use(tmp_path: Path, before: str, said: str):
    with pytest.raises(UsageError, match=said):
        ask(adapter(tmp_path, "return None", before), ROOT, tmp_path)


def test_an_adapter_that_hangs_on_import_is_wrong_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(forker, "IMPORT_SECONDS", 2.0)
    with pytest.raises(UsageError, match="nothing was heard for 2 s"):
        ask(adapter(tmp_path, "return None", "time.sleep(60)"), ROOT, tmp_path)


def test_a_rejection_that_is_no_exception_is_wrong_use(tmp_path: Path):
    with pytest.raises(UsageError, match="no exception"):
        ask(replace(adapter(tmp_path, "return None"), rejections=("builtins.len",)), ROOT, tmp_path)


def test_a_process_for_each_case_gives_the_same_where_nothing_can_be_forked(tmp_path: Path):
    decoder = adapter(tmp_path, "raise Rejected('here too')", bounds=Bounds(seconds=60.0))
    (tmp_path / "given").mkdir()
    given = given_files(ROOT, tmp_path / "given")
    given.base_file(".npz")
    given.settings_file()
    ended = spawned(decoder, given.folder, tmp_path)
    assert ended.status == 0, ended.complained
    assert json.loads((tmp_path / "answer.json").read_text()) == {"ending": "rejected", "said": "Rejected: here too"}


def test_the_adapters_of_this_package_are_those_of_its_distribution():
    declared = Path(__file__).parents[3] / "pyproject.toml"
    if sys.version_info < (3, 11) or not declared.exists():
        pytest.skip("no source tree")
    import tomllib  # noqa: PLC0415

    points = tomllib.loads(declared.read_text(encoding="utf-8"))["project"]["entry-points"]["nnr_conformance.adapters"]
    assert points == dict(BUILT_IN)
