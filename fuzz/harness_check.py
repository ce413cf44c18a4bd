"""atheris harness for the whole check: ``python -m fuzz.harness_check bitstreams/examples -max_total_time=60``.

Any bytes get a verdict that agrees with its diagnostics, and decode without an exception.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from fuzz.coverage_guided import start


def load() -> Callable[[bytes], None]:
    """Import the package; the function that takes one input."""
    from fuzz.examination import examine  # noqa: PLC0415 -- the package is instrumented while it is imported

    def one_input(data: bytes) -> None:
        # The last byte says whether to decode, too; a stream keeps its own bytes whatever is done with it.
        examine(data, data[-1] if data else 0)

    return one_input


if __name__ == "__main__":
    sys.exit(start("fuzz.harness_check", load))
