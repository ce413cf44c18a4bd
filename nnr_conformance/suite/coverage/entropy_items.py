"""Coverage of entropy decoding (clause 10): contexts, initialization ids, the engine's states, borders of the scan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nnr_conformance.entropy.parameters import PayloadRules, TensorCoding, TensorResult
from nnr_conformance.suite.coverage.items import Item, StreamHits
from nnr_conformance.suite.coverage.replay import replay

GREATER = 20
"""Contexts of greater-than flags that are items: those of the unary length 10, which is the inferred one."""
CONTEXTS = {
    "sig": 24,
    "sig base": 16,
    "sig history": 8,
    "sign": 3,
    "sign base": 2,
    "greater": GREATER,
    "greater base": GREATER,
    "prefix": 31,
    "id present": 1,
    "row skip": 1,
}
SCAN = (
    "row-major matrix",
    "vector",
    "single element",
    "single row with block scan",
    "single column with block scan",
    "blocks fit exactly",
    "clipped right block",
    "clipped lower block",
    "narrower than a block",
    "single block row",
    "two block rows",
    "many block rows",
    "block rows without entry points",
    "more than two dimensions",
)
LEVELS = ("zero", "one", "-1", "last unary flag", "first remainder", "2^30", "2^31 - 1", "-2^31")
ROWS = ("no row flag", "flag without skipped row", "first row skipped", "last row skipped", "all rows skipped")


def entropy_universe() -> Iterator[Item]:
    """Items of entropy decoding."""
    for name, count in CONTEXTS.items():
        yield from (Item("contexts", f"{name} {number}: bin {value}") for number in range(count) for value in (0, 1))
    for name in list(CONTEXTS)[:8]:
        yield from (Item("initialization ids", f"{name}: {init_id}") for init_id in range(9))
    yield from (Item("engine", f"range row {row}") for row in range(8))
    yield from (Item("engine", f"probability column {column}") for column in range(32))
    yield from (Item("engine", f"more probable bin, {count} doublings") for count in range(2))
    yield from (Item("engine", f"less probable bin, {count} doublings") for count in range(1, 8))
    yield from (Item("engine", f"{count} bypass bins") for count in range(1, 31))
    yield from (Item("engine", name) for name in ("restart", "restart at 256"))
    for order in range(1, 5):
        yield Item("scan", f"block size {4 << order}")
    yield from (Item("scan", name) for name in SCAN)
    yield from (Item("levels", name) for name in LEVELS)
    yield from (Item("row skipping", name) for name in ROWS)
    yield from (Item("trellis", f"final state {state}") for state in range(8))


def note_payload(
    hits: StreamHits, codings: Sequence[TensorCoding], results: Sequence[TensorResult], rules: PayloadRules
) -> None:
    """Count what a decoded payload met."""
    for (group, name), count in replay(codings, results, rules).items():
        hits.add(group, name, count)
    for coding, result in zip(codings, results, strict=True):
        for name in _scan_names(coding):
            hits.add("scan", name)
        for name in _level_names(coding, result):
            hits.add("levels", name)
        for name in _row_names(coding, result):
            hits.add("row skipping", name)
        if coding.dq:
            hits.add("trellis", f"final state {result.final_state}")


def _scan_names(coding: TensorCoding) -> Iterator[str]:
    height, width, order = coding.height, coding.width, coding.scan_order
    if height * width == 1:
        yield "single element"
    if len(coding.shape) > 2:
        yield "more than two dimensions"
    if order == 0:
        yield "row-major matrix" if height > 1 and width > 1 else "vector"
        return
    if height == 1 or width == 1:
        yield "single row with block scan" if height == 1 else "single column with block scan"
        return
    block = 4 << order
    rows = -(-height // block)
    yield f"block size {block}"
    yield "single block row" if rows == 1 else "two block rows" if rows == 2 else "many block rows"
    if rows > 1 and not coding.entry_points:
        yield "block rows without entry points"
    if width < block:
        yield "narrower than a block"
    elif width % block:
        yield "clipped right block"
    if height % block:
        yield "clipped lower block"
    if height % block == 0 and width % block == 0:
        yield "blocks fit exactly"


def _level_names(coding: TensorCoding, result: TensorResult) -> Iterator[str]:
    found = set(result.quantized.reshape(-1).tolist()) if result.quantized.size < 1 << 20 else set()
    known = {0: "zero", 1: "one", -1: "-1", 2**30: "2^30", 2**31 - 1: "2^31 - 1", -(2**31): "-2^31"}
    if not coding.dq:
        known |= {coding.unary_length: "last unary flag", coding.unary_length + 1: "first remainder"}
    yield from (name for level, name in known.items() if level in found)


def _row_names(coding: TensorCoding, result: TensorResult) -> Iterator[str]:
    if not coding.two_dimensional_tools:
        return
    if result.row_skip is None:
        yield "no row flag"
        return
    skipped = [bool(flag) for flag in result.row_skip]
    if not any(skipped):
        yield "flag without skipped row"
    if all(skipped):
        yield "all rows skipped"
    else:
        yield from (name for name, row in (("first row skipped", 0), ("last row skipped", -1)) if skipped[row])
