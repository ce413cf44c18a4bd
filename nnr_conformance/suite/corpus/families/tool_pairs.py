"""All pairs of coding tools in one compressed data unit, in few streams: a two-way covering array of the tools."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nnr_conformance.suite.corpus.covering import covering_array
from nnr_conformance.suite.corpus.recipes import Recipe
from nnr_conformance.suite.corpus.tool_constraints import EDITION_1, tool_constraints
from nnr_conformance.suite.corpus.tool_units import ToolChain

_BUG = "A decoder that has each of these tools right when it is alone, and takes for granted what the others change."

REQUIREMENTS = {
    "integer": "R-NDU-25",
    "uniform": "R-QP-04",
    "codebook": "R-CB-05",
    "raw float": "R-NDU-22",
    "dependent quantization": "R-AC-04",
    "block scan": "R-NDU-27",
    "entry points": "R-EP-05",
    "row skip": "R-ED2-22",
    "history contexts": "R-ED2-20",
    "temporal contexts": "R-ED2-16",
    "initialization ids": "R-AC-02",
    "decomposition": "R-NDU-14",
    "local scaling": "R-NDU-06",
    "batch norm": "R-NDU-05",
    "bias": "R-NDU-05",
    "dimension mapping": "R-NDU-24",
    "dimension shift": "R-ED2-27",
    "update": "R-ED2-14",
    "partial data": "R-UNIT-19",
}
"""What each tool is about."""


def recipes() -> Iterator[Recipe]:
    """One recipe: rows of the covering array, each behind the streams that it updates."""
    streams: list[dict[str, Any]] = []
    for row in covering_array(tool_constraints()):
        tools = [tool for tool, on in row.items() if on and tool != EDITION_1]
        chain = ToolChain(frozenset(tools), profile=int(not row[EDITION_1]))
        for depth, units in enumerate(chain.streams()):
            last = depth == chain.length - 1
            purpose = f"Together in one unit: {', '.join(tools)}." if last else _before(depth)
            requirements = sorted({REQUIREMENTS[tool] for tool in tools}) if last else ["R-ED2-12"]
            stream: dict[str, Any] = {"purpose": purpose, "requirements": requirements, "units": units}
            stream["diagnostics"] = sorted(chain.findings(depth))
            streams.append(stream | ({"behind": len(streams)} if depth else {}))
    content = {"bug": _BUG, "streams": streams}
    yield Recipe("tools", "7-tool-pairs", content, __name__.replace(".", "/") + ".py")


def _before(depth: int) -> str:
    return "An update, so that the next one has a history." if depth else "The network that the next stream updates."
