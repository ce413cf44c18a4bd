"""Check mutated streams and say what must not happen: ``python -m fuzz.mutate --streams bitstreams --runs 10000``.

Run number i with seed S is always the same stream as long as the streams to start from are the same; `--only i` repeats
it. A violation is an exception, a case that takes too long, takes too much memory, does not end, or ends the process.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from fuzz.examination import Examine, examine
from fuzz.streams import LARGEST, read_corpus
from fuzz.summary import Summary
from fuzz.workers import Bounds, Outcome, outcomes
from nnr_conformance.errors import UsageError

EPILOG = """\
exit codes: 0 no violation, 1 violations, 2 wrong use

example: python -m fuzz.mutate --runs 20000 --seed 7 --jobs 2 --save failing
         python -m fuzz.mutate --seed 7 --only 1234 --save failing
"""
_MOST_VIOLATIONS = 100


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    options = argparse.ArgumentParser(
        prog="python -m fuzz.mutate",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument(
        "--streams",
        nargs="+",
        default=[],
        metavar="PATH",
        help="files, folders, or files joined by + to one stream; default: all streams of the package",
    )
    options.add_argument("--runs", type=_count, default=1000, metavar="N", help="number of runs (default: 1000)")
    options.add_argument("--first", type=_count, default=0, metavar="I", help="number of the first run (default: 0)")
    options.add_argument("--seed", type=int, default=0, metavar="S", help="seed (default: 0)")
    options.add_argument("--only", type=_count, metavar="I", help="run this number alone")
    options.add_argument("--jobs", type=_count, default=1, metavar="J", help="worker processes (default: 1)")
    options.add_argument("--seconds", type=float, default=2.0, help="CPU seconds that a case may take (default: 2)")
    options.add_argument("--megabytes", type=float, default=300.0, help="MB that memory may grow (default: 300)")
    options.add_argument("--hang", type=float, metavar="SECONDS", help="a case hangs (default: 30 times --seconds)")
    options.add_argument(
        "--largest",
        type=_count,
        default=LARGEST,
        metavar="BYTES",
        help=f"leave larger streams out (default: {LARGEST})",
    )
    options.add_argument("--save", metavar="DIR", help="write the streams of violations there")
    return options


def main(argv: Sequence[str] | None = None, examine_case: Examine = examine) -> int:
    """Entry point; `examine_case` is what is done with each stream. Returns the exit code."""
    arguments = parser().parse_args(argv)
    try:
        return _main(arguments, examine_case)
    except UsageError as error:
        print(f"fuzz.mutate: {error}", file=sys.stderr)
        return 2


def _main(arguments: argparse.Namespace, examine_case: Examine) -> int:
    corpus, skipped = read_corpus(arguments.streams, arguments.largest)
    folder = _folder(arguments.save)
    count = len(corpus.subjects)
    print(f"streams {count} (digest {corpus.digest}, {len(skipped)} left out as too large), seed {arguments.seed}")
    numbers = range(arguments.first, arguments.first + arguments.runs)
    if arguments.only is not None:
        numbers = range(arguments.only, arguments.only + 1)
    hang = 30 * arguments.seconds if arguments.hang is None else arguments.hang
    bounds = Bounds(arguments.seconds, arguments.megabytes, hang)
    summary = Summary()
    line = _ProgressLine(summary, len(numbers))
    jobs = max(1, arguments.jobs)
    try:
        for outcome in outcomes(corpus, arguments.seed, numbers, jobs, bounds, examine_case, line.show):
            summary.add(outcome)
            if folder is not None and (outcome.violation or arguments.only is not None):
                _save(folder, outcome)
            if len(summary.violations) >= _MOST_VIOLATIONS:
                print(f"{_MOST_VIOLATIONS} violations, the rest of the runs is left out", file=sys.stderr)
                break
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
    line.clear()
    for text in summary.lines():
        print(text)
    return int(bool(summary.violations))


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no count")
    return int(text)


def _folder(name: str | None) -> Path | None:
    if name is None:
        return None
    try:
        Path(name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot write to {name}: {error.strerror}") from error
    return Path(name)


def _save(folder: Path, outcome: Outcome) -> None:
    assert outcome.mutant is not None
    stem = folder / f"run-{outcome.number}-{outcome.violation or 'fine'}"
    stem.with_suffix(".nnr").write_bytes(outcome.mutant.data)
    stem.with_suffix(".txt").write_text(f"{outcome.mutant}\n{outcome.detail}\n")


class _ProgressLine:
    """A line on standard error that is rewritten while the runs go on; nothing unless that is a terminal."""

    def __init__(self, summary: Summary, total: int) -> None:
        self._summary = summary
        self._total = total
        self._next = 0.0
        self._active = sys.stderr.isatty()

    def show(self) -> None:
        """Rewrite the line when it is time."""
        if self._active and time.monotonic() >= self._next:
            self._next = time.monotonic() + 0.5
            done = self._summary
            print(
                f"\r{done.runs} of {self._total} runs, {done.rate():.0f} per second, {len(done.violations)} violations",
                end="\x1b[K",
                file=sys.stderr,
                flush=True,
            )

    def clear(self) -> None:
        """Remove the line."""
        if self._active:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
