"""atheris harness for framing and syntax: ``python -m fuzz.harness_syntax bitstreams/examples -max_total_time=60``.

Any bytes are framed and parsed; spans lie in order inside the stream, and units are numbered as they are found.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from fuzz.coverage_guided import start


def load() -> Callable[[bytes], None]:
    """Import framing and syntax; the function that takes one input."""
    from nnr_conformance.scope import Session, TraceEntry  # noqa: PLC0415 -- instrumented while it is imported
    from nnr_conformance.syntax.unit_walker import walk_units  # noqa: PLC0415 -- as above

    def one_input(data: bytes) -> None:
        trace: list[TraceEntry] = []
        reached = 0
        for unit in walk_units(memoryview(data), Session(trace=trace)):
            if not 0 <= unit.first < unit.end <= len(data):
                raise AssertionError(f"{unit.label} is at {unit.first}..{unit.end} of {len(data)} bytes")
            if "." not in unit.label:
                if unit.first != reached:
                    raise AssertionError(f"{unit.label} starts at {unit.first}, the unit before ends at {reached}")
                reached = unit.end
        for entry in trace:
            if not 0 <= entry.first <= entry.first + entry.size <= 8 * len(data):
                raise AssertionError(f"{entry.path} is outside of the stream")

    return one_input


if __name__ == "__main__":
    sys.exit(start("fuzz.harness_syntax", load))
