"""Examples of the guides, run as a reader would: files are written, commands are typed, outputs compared.

On a page, a code block with ``:caption: NAME`` is a file of that name; a ``console`` block has commands behind ``$``
and what they print; a ``pycon`` block is a session of Python. A line ``...`` of an output stands for any lines, and
``...`` in a line for any words. Pages are run in a folder of their own that has the streams as `bitstreams` and the
examples as `examples`, in the order of the blocks.

    PYTHONPATH=docs/_ext python -m nnr_sphinx.examples [--write] docs/guides/tutorial.md
"""

from __future__ import annotations

import argparse
import doctest
import io
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from nnr_sphinx.page_text import PAGES

TOP = PAGES.parent
COMMANDS = ("check", "decode", "encode", "explain", "suite")
SECONDS = 300
PLUGIN = "nnr_conformance.pytest_plugin"
_BLOCK = re.compile(
    r"^```(?:\{code-block\} *(?P<directive>[\w-]+)\n:caption: (?P<file>\S+)\n+|(?P<language>console|pycon)\n)"
    r"(?P<body>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
_TYPED = re.compile(r"^\$ (?P<command>(?:[^\n]*\\\n)*[^\n]*)\n(?P<output>(?:(?!\$ ).*\n)*)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Difference:
    """A command, what a page says that it prints, and what it does print."""

    command: str
    said: str
    printed: str


class Runner:
    """Runs the examples of one page in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.differences: list[Difference] = []
        self._names: dict[str, Any] = {}
        programs = folder / ".bin"
        programs.mkdir()
        lines = {f"nnr-{name}": f"-m nnr_conformance.cli.{name}" for name in COMMANDS} | {"python": ""}
        for name, arguments in lines.items():
            program = programs / name
            program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {arguments} "$@"\n', encoding="utf-8")
            program.chmod(0o755)
        for name in ("bitstreams", "examples"):
            (folder / name).symlink_to(TOP / name)
        paths = [str(TOP), str(folder), os.environ.get("PYTHONPATH", "")]
        settings = {"PATH": f"{programs}:{os.environ['PATH']}", "PYTHONPATH": ":".join(filter(None, paths))}
        self._environment = {**os.environ, **settings, "COLUMNS": "100", "PYTHON_COLORS": "0"}
        if not any(one.value == PLUGIN for one in entry_points(group="pytest11")):
            # Readers have the package installed, and pytest finds the plugin; a checkout alone tells it so.
            self._environment["PYTEST_PLUGINS"] = PLUGIN

    def run(self, text: str) -> str:
        """Run all blocks of a page; the page with what was printed."""
        return _BLOCK.sub(self._block, text)

    def _block(self, block: re.Match[str]) -> str:
        body = block["body"]
        if block["file"]:
            (self.folder / block["file"]).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / block["file"]).write_text(body, encoding="utf-8")
            return block[0]
        if block["language"] == "pycon":
            self._session(body)
            return block[0]
        start, end = block.start("body") - block.start(), block.end("body") - block.start()
        return block[0][:start] + _TYPED.sub(self._typed, body) + block[0][end:]

    def _typed(self, typed: re.Match[str]) -> str:
        result = subprocess.run(
            ["bash", "-c", typed["command"]],
            cwd=self.folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        printed = "".join(f"{line.rstrip()}\n" for line in result.stdout.rstrip().splitlines())
        if agree(typed["output"], printed):
            return typed[0]
        self.differences.append(Difference(typed["command"], typed["output"], printed))
        return f"$ {typed['command']}\n{printed}"

    def _session(self, body: str) -> None:
        parser, printed = doctest.DocTestParser(), io.StringIO()
        test = parser.get_doctest(body, self._names, "page", None, 0)
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
        with _inside(self.folder), redirect_stdout(printed):
            failed = runner.run(test, out=printed.write, clear_globs=False).failed
        self._names.update(test.globs)
        if failed:
            self.differences.append(Difference("session of Python", body, printed.getvalue()))


def agree(said: str, printed: str) -> bool:
    """Whether an output is what a page says; a line ``...`` stands for any lines, a blank end for nothing."""
    lines = (line.rstrip() for line in said.rstrip().splitlines())
    pattern = "".join(r"(?:.*\n)*" if line == "..." else f"{_any_words(line)}\n" for line in lines)
    return re.fullmatch(pattern, printed) is not None


def _any_words(line: str) -> str:
    return ".*".join(map(re.escape, line.split("...")))


def run_page(path: Path) -> tuple[str, list[Difference]]:
    """The page as it should be, and where it is not."""
    with tempfile.TemporaryDirectory() as folder:
        runner = Runner(Path(folder))
        return runner.run(path.read_text(encoding="utf-8")), runner.differences


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def main() -> int:
    """Run the examples of pages, and with --write put what they print into them."""
    options = argparse.ArgumentParser(description=main.__doc__)
    options.add_argument("pages", nargs="+", type=Path)
    options.add_argument("--write", action="store_true", help="put what commands print into the pages")
    chosen = options.parse_args()
    wrong = 0
    for path in chosen.pages:
        text, differences = run_page(path)
        for one in differences:
            print(f"{path}: $ {one.command}\n--- the page\n{one.said}--- printed\n{one.printed}")
        wrong += len(differences)
        if chosen.write:
            path.write_text(text, encoding="utf-8")
    return int(bool(wrong))


if __name__ == "__main__":
    raise SystemExit(main())
