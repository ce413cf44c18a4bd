"""Progress is for terminals and long work; advice is given once, where it helps."""

from __future__ import annotations

import io

import pytest

from nnr_conformance.cli import progress
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
    assert terminal.getvalue() == "\rchecking  25.0 %\rchecking 100.0 %\r\x1b[K"


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
