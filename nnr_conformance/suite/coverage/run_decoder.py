"""Check the streams that are named on standard input; `code_items` runs this under observation."""

from __future__ import annotations

import sys
from pathlib import Path

from nnr_conformance.suite.coverage.measure import run_sample
from nnr_conformance.suite.coverage.samples import samples

if __name__ == "__main__":
    for sample in samples([Path(line) for line in sys.stdin.read().splitlines()]):
        run_sample(sample)
