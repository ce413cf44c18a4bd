"""Check streams, named on standard input, while `coverage` watches the decoder; a process of its own for `code_items`."""

from __future__ import annotations

import sys
from pathlib import Path

import coverage


def main(report: str) -> None:
    """Check the streams and write the findings of `coverage` as JSON."""
    package = Path(__file__).parents[2]
    patterns = [str(package / folder / "*.py") for folder in ("syntax", "entropy", "decoder")]
    patterns += [str(package / f"{name}.py") for name in ("bits", "binary32", "descriptors", "expressions", "framing")]
    patterns += [str(package / "scope.py")]
    watch = coverage.Coverage(branch=True, include=patterns, data_file=None)
    watch.exclude(r"if TYPE_CHECKING:")
    watch.exclude(r"@abstractmethod")
    watch.start()
    # What is imported now is watched from its first line on.
    from nnr_conformance.suite.coverage.measure import check_sample  # noqa: PLC0415
    from nnr_conformance.suite.coverage.samples import samples  # noqa: PLC0415

    for sample in samples([Path(line) for line in sys.stdin.read().splitlines()]):
        check_sample(sample)
    watch.stop()
    watch.json_report(outfile=report)


if __name__ == "__main__":
    main(sys.argv[1])
