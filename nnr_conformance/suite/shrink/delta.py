"""Delta debugging: the fewest items of a sequence with which something still holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def fewest(items: Any, holds: Callable[[Any], bool], *, smallest: int = 1) -> Any:
    """Leave out pieces of `items`, a sequence, large ones first, as long as `holds`; what is left, in its order.

    `holds` is never asked about `items` itself. `smallest`: items in the smallest piece that is left out alone. Works
    on anything that can be sliced and added; asks at most about 2 len(items) / `smallest` + 2 log(len(items)) times.
    """
    size = len(items)
    while size >= max(smallest, 1):
        first = 0
        while first < len(items):
            without = items[:first] + items[first + size :]
            if holds(without):
                items = without
            else:
                first += size
        size = min(size, len(items)) // 2 if size > 1 else 0
    return items
