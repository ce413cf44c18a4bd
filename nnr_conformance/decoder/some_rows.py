"""Some rows of a tensor, from the block rows that hold them where entry points tell where these are (clause 10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from nnr_conformance.decoder.composition import Member
from nnr_conformance.decoder.compressed_data import (
    coding_plan,
    data_format,
    decode_compressed_data,
    dequantized,
    open_data_unit,
)
from nnr_conformance.decoder.how import UnitDecoder
from nnr_conformance.decoder.model import SCALING_SUFFIX
from nnr_conformance.decoder.model_state import ModelState
from nnr_conformance.decoder.payloads import PayloadBytes
from nnr_conformance.decoder.steps import Steps
from nnr_conformance.decoder.tensors import CodedTensor, DecodedUnit
from nnr_conformance.decoder.update_tree import UpdateTree
from nnr_conformance.diagnostics import Findings
from nnr_conformance.entropy import EntropyFault, PayloadDecoder, PayloadRules, TensorCoding
from nnr_conformance.entropy.block_rows import Rows, decode_rows
from nnr_conformance.errors import BitstreamError, UsageError
from nnr_conformance.machines import Judge
from nnr_conformance.scope import TraceEntry
from nnr_conformance.syntax.enumerations import PT_FLOAT, PT_INT
from nnr_conformance.syntax.unit_parser import Unit


@dataclass(slots=True)
class SomeRows:
    """Decodes the rows `first` to `end` - 1 (None: the last) of each weight whose block rows can be decoded alone.

    Those are weights in units of their own, with entry points that prove true, and nothing to be composed with; others
    are decoded whole. `cut`: names of those that have the wanted rows only. As a `decode_data` of `StreamDecoder`.
    """

    first: int
    end: int | None
    cut: set[str] = field(default_factory=set)
    _seen: set[str] = field(default_factory=set)

    def __call__(
        self,
        unit: Unit,
        payload: PayloadBytes,
        names: tuple[str, ...],
        state: ModelState,
        tree: UpdateTree,
        trace: Sequence[TraceEntry],
        judge: Judge,
        how: UnitDecoder,
    ) -> Steps[DecodedUnit | None]:
        """As `decode_compressed_data`; raises UsageError for rows that the tensor does not have."""
        self._seen.update(names)
        try:
            found = yield from self._rows_of(unit, payload, names, state, trace, how)
        except BitstreamError:
            found = None
        if found is not None:
            self.cut.update(names)
            return found
        return (yield from decode_compressed_data(unit, payload, names, state, tree, trace, judge, how))

    def bounds(self, height: int, name: str) -> tuple[int, int]:
        """The rows that are wanted of a tensor with this many. Raises UsageError."""
        end = height if self.end is None else self.end
        if not self.first < end <= height:
            raise UsageError(f"tensor {name!r} has {height} rows; {self.first}:{end} are none of them, or not all")
        return self.first, end

    def _rows_of(
        self,
        unit: Unit,
        payload: PayloadBytes,
        names: tuple[str, ...],
        state: ModelState,
        trace: Sequence[TraceEntry],
        how: UnitDecoder,
    ) -> Steps[DecodedUnit | None]:
        # What is wrong with a header is reported when the unit is decoded whole.
        quiet = Findings()
        header, payload_type, members = open_data_unit(unit, names, trace, how)
        alone = (
            payload_type in (PT_INT, PT_FLOAT)
            and len(names) == 1
            and members[0].member is Member.WEIGHT
            and header.get("compressed_parameter_types") == 0
            and not header.get("parent_node_id_present_flag")
            and not header.get("first_tensor_dimension_shift")
            and f"{names[0]}{SCALING_SUFFIX}" not in self._seen
        )
        if not alone or not header.get("scan_order") or not header.dims:
            return None
        plan = coding_plan(header, members, payload_type, state, quiet, how)
        first, end = self.bounds(header.dims[0], names[0])
        rows: Rows | None = yield partial(_attempt, payload, plan.codings[0], first, end, how)
        if rows is None:
            return None
        quantized = rows.quantized[first - rows.first : end - rows.first]
        place = (payload.absolute(0), payload.absolute(8 * len(payload.data)))
        values, qp = quantized, None
        if plan.quantization is not None:
            values, qp = dequantized(
                header, members[0], rows.qp_coded, quantized, plan.codebooks[0], plan.quantization, place, quiet, how
            )
        if len(quiet):
            return None
        tensor = CodedTensor(names[0], Member.WEIGHT, values, quantized, qp, place, plan.codings[0].codebook_size)
        return DecodedUnit(
            unit.label,
            (tensor,),
            quantized.shape,
            update=False,
            data_format=data_format(header, how),
            block=False,
            tools=frozenset(header.tools),
            model=state,
        )


def _attempt(payload: PayloadBytes, coding: TensorCoding, first: int, end: int, how: UnitDecoder) -> Rows | None:
    rules = PayloadRules(
        skip_advances_row_width=how.readings["row-skip-state"] == "row-width",
        skip_resets_neighbour=how.readings["skipped-row-neighbour"] == "zero",
    )
    if coding.edition == 1 and how.readings["edition1-payload"] == "32":
        rules = replace(rules, prefix_ids=32, restart_single_block_row=True)
    try:
        decoder = PayloadDecoder(payload.data, rules, compiled=how.compiled, work_bits=how.work_bits, limits=how.limits)
        return decode_rows(decoder, coding, first, end)
    except EntropyFault:
        return None
