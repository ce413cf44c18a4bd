"""Cases by name, a folder for an answer, and little decoders, for the tests of runs."""

from __future__ import annotations

import sys
from pathlib import Path
from textwrap import dedent

from nnr_conformance.suite.runner.cases import golden_cases
from nnr_conformance.suite.runner.implementation import Bounds, Implementation
from nnr_conformance.suite.runner.model import Answer, Case
from nnr_conformance.suite.runner.processes import answered


def case_of(name: str) -> Case:
    """A golden case by its id."""
    return next(case for case in golden_cases() if case.id == name)


ROOT = case_of("core/10-codebook-bounds-and-parents-01")
"""A model."""
UPDATE = case_of("core/10-codebook-bounds-and-parents-02")
"""An update of it."""
WITH_BASE = case_of("core/7-parent-not-in-the-streams-01")
WITH_SETTINGS = case_of("core/6-headers-of-all-kinds-02")

SHORT = Bounds(seconds=10.0, memory=512 << 20)


def script(folder: Path, source: str, places: str = "{stream} {tensors}", bounds: Bounds = SHORT) -> Implementation:
    """A decoder that is a Python program; `argv` and `Path` are there."""
    path = folder / "decoder.py"
    path.write_text(f"import os, sys, time\nfrom sys import argv\nfrom pathlib import Path\n{dedent(source)}")
    return Implementation("script", "1", decoder=f"{sys.executable} -S {path} {places}", bounds=bounds)


def adapter(folder: Path, body: str, before: str = "", bounds: Bounds = SHORT) -> Implementation:
    """An adapter in a module of its own, whose `decode(self, job)` is `body`."""
    module = f"adapter_of_{folder.name.replace('-', '_')}"
    text = dedent(before) + "\nclass Adapter:\n    name = 'adapter'\n    version = '1'\n    def decode(self, job):\n"
    text += "".join(f"        {line}\n" for line in dedent(body).strip().splitlines())
    head = "import os, sys, time, signal\nimport numpy as np\nfrom nnr_conformance.adapters import *\n"
    (folder / f"{module}.py").write_text(head + text)
    return Implementation("adapter", "1", adapter=f"{module}:Adapter", bounds=bounds)


def ask(implementation: Implementation, case: Case, folder: Path) -> Answer:
    """The answer of an implementation, with its output in a new folder."""
    output = folder / "output"
    output.mkdir()
    return answered(implementation, case, output)
