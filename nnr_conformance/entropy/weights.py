"""Clause 10: the weight loops of a tensor, run on the whole of it or on some of its rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from nnr_conformance.entropy import rows
from nnr_conformance.entropy.binding import bound_decode_rows
from nnr_conformance.entropy.description import describe
from nnr_conformance.entropy.memory import CompiledMemory, InterpretedMemory
from nnr_conformance.entropy.parameters import FlagArray, IntArray, PayloadRules, TensorCoding


@dataclass(frozen=True, slots=True, eq=False)
class Loops:
    """What the loops of one tensor work on, in the form of their life (see `memory`)."""

    all_tools: bool
    compiled: bool
    memory: CompiledMemory | InterpretedMemory
    payload: Any
    engine: Any
    counters0: Any
    counters1: Any

    @property
    def state(self) -> tuple[Any, Any, Any, Any]:
        """The first arguments of every loop."""
        return self.payload, self.engine, self.counters0, self.counters1

    def engine_cells(self) -> list[int]:
        """The engine's cells as they are now."""
        return [int(cell) for cell in self.engine]


class Decoded(NamedTuple):
    """Weights in coded order, one after the other, and what is kept of the starts of their block rows (`rows`)."""

    quantized: IntArray
    marks: list[int]


@dataclass(frozen=True, slots=True, eq=False)
class WeightLoop:
    """The weights of a tensor whose contexts are initialized. `row_skip`: where rows are skipped, its flags."""

    coding: TensorCoding
    rules: PayloadRules
    use_history: bool
    row_skip: FlagArray | None

    def run(self, loops: Loops) -> Decoded:
        """Decode all of them; a fault is in the engine."""
        return self._run(loops, self.cells(), slice(None), slice(None))

    def run_rows(self, loops: Loops, first: int, end: int) -> Decoded:
        """Decode those of the rows `first` to `end` - 1, which are whole block rows; a fault is in the engine."""
        cells = self.cells()
        cells[rows.HEIGHT] = end - first
        width = self.coding.width
        return self._run(loops, cells, slice(first, end), slice(first * width, end * width))

    def cells(self) -> list[int]:
        """The description that the loops read."""
        return describe(self.coding, self.rules, use_history=self.use_history, use_skip=self.row_skip is not None)

    def _run(self, loops: Loops, cells: list[int], some_rows: slice, some: slice) -> Decoded:
        coding, memory = self.coding, loops.memory
        history = coding.history if self.use_history else None
        block_rows = -(-cells[rows.HEIGHT] // cells[rows.BLOCK_HEIGHT])
        elements = len(range(coding.elements)[some])
        marks = memory.cells([0] * (rows.MARK_CELLS * block_rows))
        quantized = memory.levels(np.zeros(elements, np.int32))
        bound_decode_rows(all_tools=loops.all_tools, compiled=loops.compiled)(
            *loops.state,
            loops.counters0.copy(),
            loops.counters1.copy(),
            memory.cells(cells),
            memory.flags(None if self.row_skip is None else self.row_skip[some_rows]),
            memory.levels(coding.base.reshape(-1)[some] if coding.base is not None and coding.temporal else None),
            memory.flags(None if history is None else history.reshape(-1)[some] != 0),
            quantized,
            marks,
        )
        return Decoded(memory.integers(quantized), [int(cell) for cell in marks])
