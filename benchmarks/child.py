"""Processes of their own, with the seconds that they take and the memory that they have resident at most."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.peer import ROOT

DECODE = "import sys; from nnr_conformance.cli.decode import main; sys.exit(main())"
"""What the script nnr-decode does that an installation makes; this one does not need an installation."""
CHECK = "import sys; from nnr_conformance.cli.check import main; sys.exit(main())"
ENCODE = "import sys; from nnr_conformance.cli.encode import main; sys.exit(main())"
RUNS_FOR_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Finished:
    """A process that ended well."""

    seconds: float
    output: str

    def said(self) -> Any:
        """The JSON in the last line of its output."""
        return json.loads(self.output.splitlines()[-1])


def python(code: str, *arguments: object, environment: Mapping[str, str] | None = None) -> Finished:
    """Run a program of this Python that finds this package; raises SystemExit when it does not end with 0."""
    return run([sys.executable, "-c", code, *map(str, arguments)], environment or {})


def run(command: Sequence[str], environment: Mapping[str, str]) -> Finished:
    """Run a command, from start to end; `environment`: what differs from this process's."""
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    started = time.perf_counter()
    done = subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": paths, **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=RUNS_FOR_SECONDS,
        check=False,
    )
    seconds = time.perf_counter() - started
    if done.returncode:
        raise SystemExit(f"{' '.join(command)[:300]} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return Finished(seconds, done.stdout)
