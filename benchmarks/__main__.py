"""Everything that is measured, in one table: ``python -m benchmarks``.

Each line is one figure: ours, NNCodec's in the same run where it is installed, how many times better ours is (the
median of the repetitions, in which both take turns, and their range), what was promised, and whether it is met. Each
measurement alone is ``python -m benchmarks.NAME``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import (
    batches,
    decode,
    encode,
    encoder,
    encoder_switch,
    guard,
    networks,
    partial,
    process,
    scale,
    startup,
    switch,
    units,
)
from benchmarks.effort import Effort, Measurement, add_options, effort_of, run
from benchmarks.picture import picture
from benchmarks.table import Results, as_markdown, as_text

MEASUREMENTS: dict[str, Measurement] = {
    "decode": decode.rows,
    "batches": batches.rows,
    "networks": networks.rows,
    "process": process.rows,
    "partial": partial.rows,
    "scale": scale.rows,
    "units": units.rows,
    "startup": startup.rows,
    "switch": switch.rows,
    "encode": encode.rows,
    "encoder": encoder.rows,
    "encoder_switch": encoder_switch.rows,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, or show what was measured before; returns the exit code: 1 when the guard finds something slower."""
    options = argparse.ArgumentParser(prog="python -m benchmarks", description=(__doc__ or "").split("\n")[0])
    add_options(options)
    options.add_argument("--only", nargs="+", choices=MEASUREMENTS, metavar="NAME", help=", ".join(MEASUREMENTS))
    options.add_argument("--from", dest="source", type=Path, metavar="JSON", help="show this instead of measuring")
    options.add_argument("--save", type=Path, metavar="JSON", help="write all figures there")
    options.add_argument("--svg", type=Path, metavar="SVG", help="draw the ratios there")
    options.add_argument("--markdown", type=Path, metavar="FILE", help="write the table for documents there")
    options.add_argument("--guard", action="store_true", help="only compare ratios and counts with generous bounds")
    found = options.parse_args(arguments)
    effort = effort_of(options, found)
    if found.guard:
        return guard.main(json=found.json)
    results = _results(found, effort)
    for path, text in ((found.save, results.to_json), (found.svg, lambda: picture(results))):
        if path is not None:
            path.write_text(f"{text().rstrip()}\n", encoding="utf-8")
    if found.markdown is not None:
        found.markdown.write_text(f"{as_markdown(results)}\n", encoding="utf-8")
    return 0


def _results(found: argparse.Namespace, effort: Effort) -> Results:
    if found.source is None:
        return run([MEASUREMENTS[name] for name in found.only or MEASUREMENTS], effort, quiet=found.json)
    read = Results.from_json(found.source.read_text(encoding="utf-8"))
    kept = tuple(row for row in read.rows if found.only is None or row.measurement in found.only)
    results = Results(read.environment, kept)
    print(results.to_json() if found.json else as_text(results))
    return results


if __name__ == "__main__":
    sys.exit(main())
