"""Coverage of the decoder's own code by streams alone: lines and branches of the normative modules.

The measuring runs in a process of its own that imports the decoder under observation. It needs the package `coverage`.
What decoding does not use is what is not mutated either (`suite.mutation.exclusions`); single lines and branches that
no stream reaches are in `spec/coverage.yaml`.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nnr_conformance
from nnr_conformance.errors import UsageError
from nnr_conformance.suite.coverage.items import Item, exclusions
from nnr_conformance.suite.mutation.exclusions import GUARDS, excluded

PACKAGES = ("syntax", "entropy", "decoder")
MODULES = ("bits", "binary32", "descriptors", "expressions", "framing", "scope")
LEFT_OUT = (
    "syntax/describe.py",
    "syntax/semantics.py",
    "syntax/expression_source.py",
    "syntax/specialised.py",
    "syntax/repeated_units.py",
    "entropy/binding.py",
    "entropy/memory.py",
)
"""Modules beside the decoding process: tables for pages, how parsers are generated, and how loops are compiled."""

LINES, BRANCHES = "lines of the decoder", "branches of the decoder"
"""Groups of items."""

Branch = tuple[int, int]
"""From line to line; a negative line is the end of a function."""


@dataclass(frozen=True, slots=True)
class ModuleLines:
    """Lines and branches of a module that a stream can reach: how many, how many were run, and those that were not.

    `unreachable_lines`, `unreachable_branches`: those that no stream reaches, with the reason.
    """

    module: str
    lines: int
    covered_lines: int
    branches: int
    covered_branches: int
    missing_lines: tuple[int, ...]
    missing_branches: tuple[Branch, ...]
    unreachable_lines: Mapping[int, str] = field(default_factory=dict)
    unreachable_branches: Mapping[Branch, str] = field(default_factory=dict)


def measure_code(streams: list[Path]) -> list[ModuleLines]:
    """Lines and branches of the normative modules that checking and decoding the streams runs.

    `streams`: files; those of the suite are decoded under what their recipes say.

    Raises UsageError without the package `coverage`.
    """
    if importlib.util.find_spec("coverage") is None:
        raise UsageError("line coverage needs the package coverage: pip install coverage")
    package = Path(nnr_conformance.__file__).parent
    patterns = [str(package / name / "*.py") for name in PACKAGES] + [str(package / f"{name}.py") for name in MODULES]
    with tempfile.TemporaryDirectory() as folder:
        data, report, settings = (Path(folder) / name for name in ("data", "report.json", "settings"))
        settings.write_text("[report]\nexclude_also =\n    if TYPE_CHECKING:\n    @abstractmethod\n")
        options = [f"--data-file={data}", f"--rcfile={settings}"]
        watched = ["--branch", f"--include={','.join(patterns)}", "-m", "nnr_conformance.suite.coverage.run_decoder"]
        names = "\n".join(map(str, streams))
        command = [sys.executable, "-m", "coverage"]
        subprocess.run([*command, "run", *options, *watched], check=True, input=names, text=True)
        subprocess.run([*command, "json", "-q", *options, "-o", str(report)], check=True)
        found = json.loads(report.read_text())
    rows = []
    for name, content in sorted(found["files"].items()):
        module = Path(name).resolve().relative_to(package.resolve()).as_posix()
        if module not in LEFT_OUT:
            rows.append(module_lines(module, Path(name).read_text(encoding="utf-8"), content))
    return rows


def module_lines(module: str, source: str, content: Mapping[str, Any]) -> ModuleLines:
    """The row of a module; `content`: what the package coverage reports of its file."""
    text = _Text(module, source)
    executed, missed = set(content["executed_lines"]), set(content["missing_lines"])
    why = {line: reason for line in missed if (reason := text.line_reason(line))}
    # What is left out on purpose does not count when it was run, such as the line that defines a function.
    executed = {line for line in executed if not text.left_out(line)}
    branches = {tuple(one) for one in content["executed_branches"] if not text.left_out(one[0])}
    not_taken = [(first, last) for first, last in content["missing_branches"]]
    why_not = {
        one: reason for one in not_taken if (reason := why.get(one[0]) or why.get(one[1]) or text.branch_reason(one))
    }
    missing, open_branches = sorted(missed - set(why)), sorted(set(not_taken) - set(why_not))
    return ModuleLines(
        module,
        len(executed) + len(missing),
        len(executed),
        len(branches) + len(open_branches),
        len(branches),
        tuple(missing),
        tuple(open_branches),
        why,
        why_not,
    )


class _Text:
    """The lines of a module by what is in them, and why some are not run."""

    def __init__(self, module: str, source: str) -> None:
        self._module = module
        self._dotted = module.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
        self._lines = source.splitlines()
        tree = ast.parse(source)
        self._functions = dict(_innermost(tree, ()))
        self._guards = {line: reason for node in ast.walk(tree) for line, reason in _guard(node)}
        self._known = [one for one in exclusions() if one.group in {LINES, BRANCHES}]

    def left_out(self, line: int) -> str:
        """Why the function that a line is in has nothing to do with decoding; empty when it has."""
        return excluded(self._dotted, self._functions.get(line, ""))

    def line_reason(self, line: int) -> str:
        """Why no stream runs a line; empty when one should."""
        return self.left_out(line) or self._guards.get(line, "") or self._listed(Item(LINES, self._name(line)))

    def branch_reason(self, branch: Branch) -> str:
        """Why no stream takes a branch; empty when one should."""
        first, last = branch
        target = self._lines[last - 1].strip() if last > 0 else "end"
        return self.left_out(first) or self._listed(Item(BRANCHES, f"{self._name(first)} -> {target}"))

    def _name(self, line: int) -> str:
        """A line by module, function and text: its number changes too often."""
        return f"{self._module} {self._functions.get(line, '')}: {self._lines[line - 1].strip()}"

    def _listed(self, item: Item) -> str:
        return next((one.reason for one in self._known if one.covers(item)), "")


def _innermost(node: ast.AST, names: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """The lines inside functions and classes, each with the qualified name of the innermost one, which comes last."""
    for inner in ast.iter_child_nodes(node):
        if isinstance(inner, ast.FunctionDef | ast.ClassDef):
            inside = (*names, inner.name)
            first = min([inner.lineno, *(one.lineno for one in inner.decorator_list)])
            yield from ((line, ".".join(inside)) for line in range(first, (inner.end_lineno or first) + 1))
            yield from _innermost(inner, inside)
        else:
            yield from _innermost(inner, names)


def _guard(node: ast.AST) -> Iterable[tuple[int, str]]:
    """The lines of a `raise` that only a caller's mistake can reach, with the reason."""
    if not isinstance(node, ast.Raise) or not isinstance(node.exc, ast.Call) or not isinstance(node.exc.func, ast.Name):
        return ()
    reason = GUARDS.get(node.exc.func.id, "")
    return ((line, reason) for line in range(node.lineno, (node.end_lineno or node.lineno) + 1) if reason)
