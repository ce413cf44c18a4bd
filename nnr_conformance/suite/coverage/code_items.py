"""Coverage of the decoder's own code by streams alone: lines and branches of the normative modules.

The measuring runs in a process of its own that imports the decoder under observation. It needs the package `coverage`.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import nnr_conformance
from nnr_conformance.errors import UsageError

PACKAGES = ("syntax", "entropy", "decoder")
MODULES = ("bits", "binary32", "descriptors", "expressions", "framing", "scope")
BUILDING = frozenset(
    {"_build", "write", "build_tree", "build_bytes", "_sizeof", "value", "enter", "label", "__repr__"}
    | {"meaning", "render", "linear"}
)
"""Functions of the normative modules that decoding does not use: building, and words for reports."""
LEFT_OUT = (
    "syntax/describe.py",
    "syntax/semantics.py",
    "entropy/binding.py",
    "entropy/memory.py",
    "entropy/retrace.py",
)
"""Modules beside the decoding process: tables for pages, and how loops are compiled."""


@dataclass(frozen=True, slots=True)
class ModuleLines:
    """Lines and branches of a module: how many there are, how many were run, and those that were not."""

    module: str
    lines: int
    covered_lines: int
    branches: int
    covered_branches: int
    missing_lines: tuple[int, ...]
    missing_branches: tuple[tuple[int, int], ...]


def measure_code(streams: list[Path]) -> list[ModuleLines]:
    """Lines and branches of the normative modules that checking the streams runs.

    `streams`: files; those of the suite are checked under what their recipes say.

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
        path = Path(name)
        module = path.resolve().relative_to(package.resolve()).as_posix()
        if module in LEFT_OUT:
            continue
        skipped = _lines_left_out(path)
        lines = set(content["executed_lines"]) | set(content["missing_lines"])
        executed = set(content["executed_lines"]) - skipped
        branches = [tuple(one) for one in content["executed_branches"] if one[0] not in skipped]
        missing = [tuple(one) for one in content["missing_branches"] if one[0] not in skipped]
        rows.append(
            ModuleLines(
                module,
                len(lines - skipped),
                len(executed),
                len(branches) + len(missing),
                len(branches),
                tuple(sorted(set(content["missing_lines"]) - skipped)),
                tuple(sorted(missing)),
            )
        )
    return rows


def _lines_left_out(path: Path) -> set[int]:
    """Lines of functions that decoding does not use."""
    return {
        line
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and node.name in BUILDING
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
