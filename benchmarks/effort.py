"""How much is measured: sizes and repetitions, and the command line that every measurement shares."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.machine import environment
from benchmarks.table import Results, Row, headings, line, summary

REPETITIONS, FEW_REPETITIONS = 9, 3
LARGEST, LARGEST_POWER = 8, 9


@dataclass(frozen=True, slots=True)
class Effort:
    """`quick`: small sizes. `repetitions`: of each measurement. `largest`: power of ten of the longest stream."""

    quick: bool = False
    repetitions: int = REPETITIONS
    largest: int = LARGEST


Measurement = Callable[[Effort], Iterator[Row]]
"""Measures, and gives each row as soon as it has it."""


def add_options(options: argparse.ArgumentParser) -> None:
    """The options of every measurement."""
    options.add_argument("--quick", action="store_true", help="small sizes and few repetitions, for a first look")
    options.add_argument("--repetitions", type=int, help=f"of each (default {REPETITIONS}, quick {FEW_REPETITIONS})")
    options.add_argument(
        "--largest", type=int, default=LARGEST, metavar="P", help=f"longest stream: 10^P weights (default {LARGEST})"
    )
    options.add_argument("--json", action="store_true", help="print JSON")


def effort_of(options: argparse.ArgumentParser, found: argparse.Namespace) -> Effort:
    """What the options ask for; ends the program when that is nonsense."""
    repetitions = found.repetitions or (FEW_REPETITIONS if found.quick else REPETITIONS)
    if repetitions < 1 or not 1 <= found.largest <= LARGEST_POWER:
        options.error(f"at least 1 repetition, and 10^1 to 10^{LARGEST_POWER} weights")
    return Effort(found.quick, repetitions, found.largest)


def alone(name: str, measurement: Measurement, about: str | None, arguments: Sequence[str] | None = None) -> int:
    """Run one measurement as `python -m benchmarks.NAME`; returns the exit code."""
    options = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=(about or "").split("\n")[0])
    add_options(options)
    found = options.parse_args(arguments)
    run([measurement], effort_of(options, found), quiet=found.json)
    return 0


def run(measurements: Sequence[Measurement], effort: Effort, *, quiet: bool) -> Results:
    """Measure, and print each row when it is there, or with `quiet` all of it as JSON at the end."""
    about = environment()
    if not quiet:
        print(*(f"{name}: {value}" for name, value in about.items()), "", headings(), sep="\n", flush=True)
    rows = []
    for measurement in measurements:
        for row in measurement(effort):
            rows.append(row)
            if not quiet:
                print(line(row), flush=True)
    results = Results(about, tuple(rows))
    print(results.to_json() if quiet else f"\n{summary(rows)}")
    sys.stdout.flush()
    return results
