"""Progress is for terminals and long work; advice is given once, where it helps."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from nnr_conformance.cli import progress
from nnr_conformance.cli.encode import main as encode
from nnr_conformance.cli.progress import Progress, advise


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_long_work_on_a_terminal_shows_percentages_and_leaves_a_clean_line(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr(progress, "_FIRST_AFTER", 0.0)
    monkeypatch.setattr(progress, "_EVERY", 0.0)
    shown = Progress(200, "checking")
    shown.at(50)
    shown.at(200)
    shown.done()
    lines = terminal.getvalue().removeprefix("\rchecking   0.0 %")
    assert lines == "\rchecking  25.0 %\rchecking 100.0 %\r\x1b[K"


def test_work_that_says_nothing_for_long_is_shown_and_nothing_follows_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr(progress, "_FIRST_AFTER", 0.02)
    shown, ended = Progress(200, "checking"), Progress(200, "ended")
    ended.done()
    until = time.monotonic() + 10
    while not terminal.getvalue() and time.monotonic() < until:
        time.sleep(0.01)
    shown.done()
    shown.at(100)
    assert terminal.getvalue() == "\rchecking   0.0 %\r\x1b[K"


AT_ONCE = """
import sys
from nnr_conformance.cli import progress
progress._FIRST_AFTER = progress._EVERY = 0.0
from nnr_conformance.cli.{} import main
sys.exit(main())
"""
"""A command that takes all work for long."""


def on_terminal(command: str, *arguments: object) -> tuple[int, str]:
    """Run a command whose standard error is a terminal; returns its exit code and what the terminal got."""
    pty = pytest.importorskip("pty", reason="there are no pseudo-terminals")
    ours, theirs = pty.openpty()
    try:
        with subprocess.Popen(
            [sys.executable, "-c", AT_ONCE.format(command), *map(str, arguments)],
            stdout=subprocess.DEVNULL,
            stderr=theirs,
        ) as process:
            os.close(theirs)
            shown = b"".join(iter(lambda: _read(ours), b""))
    finally:
        os.close(ours)
    return process.returncode, shown.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 1 << 16)
    except OSError:  # how Linux says that the other side was closed
        return b""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("progress") / "model.npz"
    numbers = np.random.default_rng(1)
    np.savez(path, **{f"layer{number}": numbers.normal(0, 1, (40, 50)).astype(np.float32) for number in range(9)})
    return path


@pytest.fixture(scope="module")
def stream(model: Path) -> Path:
    path = model.with_suffix(".nnr")
    assert encode([str(model), "-q", "-o", str(path)]) == 0
    return path


PERCENT = r"\r(\w+) +(\d+\.\d) %"


@pytest.mark.parametrize("threads", [1, 2])
def test_decoding_shows_how_far_it_is_and_leaves_a_clean_line(stream: Path, tmp_path: Path, threads: int) -> None:
    out = tmp_path / "out.npz"
    code, shown = on_terminal("decode", stream, "-o", out, "--check", "--threads", threads)
    assert (code, shown[-4:]) == (0, "\r\x1b[K")
    steps = re.findall(PERCENT, shown)
    assert not re.sub(PERCENT, "", shown).replace("\r\x1b[K", "")
    assert list(dict.fromkeys(what for what, _ in steps)) == ["checking", "decoding"]
    for command in ("checking", "decoding"):
        percents = [float(percent) for what, percent in steps if what == command]
        assert len(set(percents)) > 5
        assert percents == sorted(percents)


def test_encoding_shows_how_far_it_is_and_leaves_a_clean_line(model: Path, tmp_path: Path) -> None:
    code, shown = on_terminal("encode", model, "-o", tmp_path / "out.nnr")
    assert (code, shown[-4:]) == (0, "\r\x1b[K")
    assert len(set(re.findall(PERCENT, shown))) > 5


def test_a_failure_is_told_on_a_clean_line(stream: Path, tmp_path: Path) -> None:
    code, shown = on_terminal("decode", stream, "--tensor", "none", "-o", tmp_path / "out.npz")
    assert code == 2
    assert re.search(r"%\r\x1b\[Knnr-decode: no tensor 'none'", shown)


@pytest.mark.parametrize("threads", [1, 2])
def test_decoding_into_a_pipe_shows_nothing(stream: Path, tmp_path: Path, threads: int) -> None:
    arguments = (stream, "-o", tmp_path / "out.npz", "--threads", threads)
    done = subprocess.run(
        [sys.executable, "-c", AT_ONCE.format("decode"), *map(str, arguments)], capture_output=True, check=True
    )
    assert not done.stderr


def test_short_work_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    shown = Progress(200, "checking")
    shown.at(50)
    shown.done()
    assert not terminal.getvalue()


def test_a_pipe_sees_no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = io.StringIO()
    monkeypatch.setattr("sys.stderr", pipe)
    monkeypatch.setattr(progress, "_FIRST_AFTER", 0.0)
    shown = Progress(200, "checking")
    shown.at(50)
    shown.done()
    assert not pipe.getvalue()


def test_long_work_without_the_compiler_says_what_would_help(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("nnr_conformance.entropy.binding._numba_installed", lambda: False)
    monkeypatch.delenv("NNR_PURE", raising=False)
    advise(100)
    assert not capsys.readouterr().err
    advise(100_000_000)
    assert "nnr-conformance[fast]" in capsys.readouterr().err
