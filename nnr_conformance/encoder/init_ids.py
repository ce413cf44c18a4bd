"""Clause 10, encoder side: choosing the initialization ids of a tensor's contexts by what they would cost.

A trial pass prices every bin with all nine ids of its context (`spec/tables/encoder_cost.yaml`); source:
entropy-coding facts clause 9. Unlike there the prices are those of the bins that will be written, entry points and
codebook bounds included.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.encoder import level_writer as lw
from nnr_conformance.encoder.bin_writer import BIN_COST, INIT_IDS, NEXT0, NEXT1
from nnr_conformance.encoder.binding import bound, choose_compiled
from nnr_conformance.encoder.context_numbers import context_count
from nnr_conformance.encoder.lookup import lookup
from nnr_conformance.encoder.payload_writer import (
    CompiledMemory,
    InterpretedMemory,
    TensorPlan,
    block_rows,
    row_arguments,
)
from nnr_conformance.encoder.work import bins_of

BIT = 1 << 15
"""One bit in the unit of the prices."""
ID_BITS = 3


def prices(plan: TensorPlan, *, compiled: bool | None = None) -> NDArray[np.int64]:
    """What all bins of each context cost with each initialization id: int64, shape (contexts, 9), in 2^-15 bit."""
    if compiled is None:
        compiled = choose_compiled(INIT_IDS * bins_of(plan.levels, plan.unary_length), "price_rows")
    memory = CompiledMemory() if compiled else InterpretedMemory()
    count = context_count(plan.unary_length)
    start0, start1 = list(lookup().start0) * count, list(lookup().start1) * count
    engine = [0] * lw.ENGINE_CELLS
    total = memory.cells([0] * (INIT_IDS * count))
    first0, first1 = memory.counters(start0), memory.counters(start1)
    bound("price_rows", compiled=compiled)(
        total,
        memory.cells(engine),
        first0.copy(),
        first1.copy(),
        first0,
        first1,
        *row_arguments(plan, memory),
        memory.levels(plan.levels),
        memory.cells([0] * (lw.MARK_CELLS * block_rows(plan))),
    )
    return np.array(total, np.int64).reshape(count, INIT_IDS)


def choose_ids(plan: TensorPlan, *, compiled: bool | None = None) -> NDArray[np.uint8]:
    """The ids for `TensorPlan.init_ids`: the cheapest of each context; all 0 when their list costs what they save."""
    found = prices(plan, compiled=compiled)
    none = np.zeros(len(found), np.uint8)
    ids = none.copy()
    coded = plan.contexts()
    extra = np.array([0] + [ID_BITS * BIT] * (INIT_IDS - 1))
    ids[coded] = np.argmin(found[coded] + extra, axis=1)
    saved = int((found[coded, 0] - found[coded, ids[coded]]).sum())
    return ids if saved > _list_price(ids[coded].tolist()) - _zeros_price(len(coded)) else none


@cache
def _zeros_price(count: int) -> int:
    """What a list of so many ids costs that are all 0."""
    return _list_price([0] * count)


def _list_price(ids: list[int]) -> int:
    """What the list of these ids costs."""
    counter0, counter1, price = lookup().start0[0], lookup().start1[0], 0
    for init_id in ids:
        present = int(init_id > 0)
        probability = 16 * (counter0 & 255) + (counter1 & 4095)
        price += BIN_COST[2 * (probability >> 3) + present] + present * ID_BITS * BIT
        counter0, counter1 = NEXT0[2 * counter0 + present], NEXT1[2 * counter1 + present]
    return price
