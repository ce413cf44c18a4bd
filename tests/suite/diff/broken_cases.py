"""The faults of examples/broken, each with a stream that shows it and where `diff` has to find it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from nnr_conformance.adapters import Arrays
from nnr_conformance.data import data_path
from nnr_conformance.suite.diff.localise import Divergence, localised
from nnr_conformance.suite.runner.expected import STAGES, told
from nnr_conformance.suite.runner.outputs import read_output
from tests.suite.runner.cases_for_tests import case_of

ROOT = Path(__file__).parents[3]
PROGRAM = ROOT / "examples" / "broken" / "broken_decoder.py"


@dataclass(frozen=True, slots=True)
class Fault:
    """`stream`: that shows the fault. `stage`, `tensor`, `element`: where it is. `hint`: part of the hint on it.

    `traced`: with a bin trace the group of the context and what of the bin differs, empty where no bin does.
    """

    name: str
    stream: str
    stage: str
    tensor: str
    element: tuple[int, ...]
    hint: str
    traced: tuple[str, frozenset[str]] = ("", frozenset())


def _bin(group: str, *parts: str) -> tuple[str, frozenset[str]]:
    return group, frozenset(parts)


FAULTS = (
    Fault(
        *("neighbour_contexts_swapped", "tools/10-initialization-ids-01", "levels", "w", (0, 2), ""),
        _bin("sig_neighbour[2]", "context", "bit"),
    ),
    Fault(
        *("contexts_kept_at_entry_points", "core/10-block-sizes-04", "levels", "w", (16, 0), "block row 1"),
        _bin("sig_neighbour[0]", "value", "bit"),
    ),
    Fault(
        *("initialization_table_entry", "tools/10-initialization-ids-01", "levels", "w", (0, 0), ""),
        _bin("sig_neighbour[0]", "value", "bit"),
    ),
    Fault("blocks_too_wide", "tools/10-block-scan-01", "levels", "w", (1, 1), "placed by scan_order"),
    Fault(
        *("state_transition_entry", "tools/9-dependent-quantization-01", "levels", "w", (0, 3), "state transition"),
        _bin("sig_neighbour[3]", "context"),
    ),
    Fault("qp_divided_towards_zero", "core/8-decomposition-01", "dequantized", "w_H", (0, 0), "times 2 = 2^1"),
    Fault("codebook_offset", "core/10-codebook-bounds-01", "dequantized", "w", (0, 1), "CbZeroOffset"),
    Fault("factor_by_columns", "core/8-decomposition-01", "tensors", "w", (0, 0, 0, 0), "H read by columns"),
    Fault("local_scaling_ignored", "tools/8-local-scaling-01", "tensors", "w", (1, 0, 0), "local scaling is not"),
    Fault("update_not_added", "core/10-codebook-bounds-and-parents-02", "tensors", "w", (0, 0), "parent is not added"),
    Fault(
        *("row_skip_inverted", "core/10-row-skip-states-01", "levels", "w", (0, 0), "list of skipped rows"),
        _bin("sig_neighbour[23]", "context", "bit"),
    ),
    Fault("dimensions_reversed", "core/10-codebook-bounds-02", "syntax", "w", (), "a header"),
)


def run(fault: str, stream: str, folder: Path, *, traced: bool) -> Divergence | None:
    """What `diff` says of the decoder with a fault, none for an empty name."""
    case = case_of(stream)
    streams = [data_path(f"bitstreams/{one.removeprefix('golden:')}") for one in (*case.before, case.source)]
    files = [f"--{stage}={folder / stage}.npz" for stage in STAGES]
    more = [f"--trace={folder / 'trace.jsonl'}"] if traced else []
    words = [sys.executable, str(PROGRAM), *(["--fault", fault] if fault else []), *map(str, streams), *files, *more]
    subprocess.run(words, check=True, cwd=ROOT, capture_output=True)
    found = read_output(folder)
    output: dict[str, Arrays] = {stage: one for stage in STAGES if (one := getattr(found, stage)) is not None}
    return localised(case, told(case), output, found.trace)
