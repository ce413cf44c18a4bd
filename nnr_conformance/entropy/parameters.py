"""What the entropy decoder is told about a tensor and a payload, and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.entropy.faults import Note

IntArray = NDArray[np.int32]
FlagArray = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """Clause 10: where decoding of a block row can start.

    `value`: the 8-bit offset there. `dq_state`: the trellis state. `bit_offset`: payload bits since the start of the
    block row before, that is with the differences of the header already summed. `number`: its place in the header,
    where the entry points of several tensors are one list.
    """

    value: int
    dq_state: int
    bit_offset: int
    number: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, eq=False)
class TensorCoding:
    """Parameters of one tensor of a payload, in the payload's order.

    `shape`: dimensions, each at least 1. `unary_length`: cabac_unary_length_minus1 + 1, 1 to 256. `dq`: dependent
    quantization; False for NNR_PT_INT. `scan_order`: 0 to 4. `edition`: 1 or 2. `qp_bits`: width of the QP field,
    6 + qp_density, or 0 for NNR_PT_INT, which has none. `parent_present`: parent_node_id_present_flag.
    `codebook_size`, `codebook_zero`: number of entries and CbZeroOffset; size 0 stands for no codebook. In edition 1
    they do not influence the payload, but levels are checked against them. `base`: the parent's quantized parameters
    (int32, same shape); given in edition 2, temporal contexts are active. `history`: nonzero where an earlier update
    of the parameter was nonzero (any integer or bool type, same shape); None stands for all zero. `entry_points`:
    those of the header, to be compared; None: nothing to compare.
    """

    shape: tuple[int, ...]
    unary_length: int
    dq: bool
    scan_order: int
    edition: int
    qp_bits: int
    parent_present: bool = False
    codebook_size: int = 0
    codebook_zero: int = 0
    base: IntArray | None = None
    history: NDArray[np.generic] | None = None
    entry_points: tuple[EntryPoint, ...] | None = None

    @property
    def height(self) -> int:
        """Rows: the first dimension."""
        return self.shape[0]

    @property
    def width(self) -> int:
        """Columns: the product of the other dimensions, 1 for a vector."""
        width = 1
        for size in self.shape[1:]:
            width *= size
        return width

    @property
    def elements(self) -> int:
        """Number of weights."""
        return self.height * self.width

    @property
    def bound_size(self) -> int:
        """Codebook size that shapes the payload: 0 when no codebook bounds the levels, as always in edition 1."""
        return self.codebook_size if self.edition >= 2 else 0

    @property
    def temporal(self) -> bool:
        """Whether temporal contexts are active."""
        return self.edition >= 2 and self.base is not None

    @property
    def two_dimensional_tools(self) -> bool:
        """Whether the tensor carries the history flag and the row-skip flag."""
        return self.edition >= 2 and self.width > 1 and self.height > 1 and self.bound_size != 1

    @property
    def effective_scan_order(self) -> int:
        """scan_order, or 0 for a single row or column."""
        return self.scan_order if self.width > 1 and self.height > 1 else 0


@dataclass(frozen=True, slots=True)
class PayloadRules:
    """Variants of edition 1 payloads, and choices of `spec/readings.yaml`, that change how a payload is read.

    `prefix_ids`: initialization ids of prefix contexts, 31, or 32 as NNCodec 1.0 writes. `restart_single_block_row`:
    a block scan restarts the interval also with a single block row (NNCodec 1.0). `skip_advances_row_width`: reading
    row-skip-state, True for row-width, False for per-position. `skip_resets_neighbour`: reading
    skipped-row-neighbour, False for keep, True for zero.
    """

    prefix_ids: int = 31
    restart_single_block_row: bool = False
    skip_advances_row_width: bool = True
    skip_resets_neighbour: bool = False


DEFAULT_RULES = PayloadRules()


@dataclass(frozen=True, slots=True, eq=False)
class TensorResult:
    """One decoded tensor.

    `qp_coded`: the QP field, None without one. `history_flag`: hist_dep_sig_prob_enabled_flag. `row_skip`: uint8, 1 for
    each skipped row, None when the row-skip flag is 0 or absent. `init_ids`: (context index of the layout, id) in coded
    order. `quantized`: int32 quantized parameters of the tensor's shape, after the doubling of dependent quantization.
    `final_state`: the trellis state after the last weight. `entry_points`: as sequential decoding finds them.
    `first_bit`, `end_bit`: payload bits read before and after the tensor.
    """

    qp_coded: int | None
    history_flag: bool
    row_skip: FlagArray | None
    init_ids: tuple[tuple[int, int], ...]
    quantized: IntArray
    final_state: int
    entry_points: tuple[EntryPoint, ...]
    first_bit: int
    end_bit: int


@dataclass(frozen=True, slots=True)
class End:
    """The engine at the end of a payload.

    `consumed_bytes`: length of the payload as its bits say. `range`: after the terminate bin took its 2. `offset`: V.
    `bits`: payload bits read, the last of which is the stop bit.
    """

    consumed_bytes: int
    range: int
    offset: int
    bits: int


@dataclass(frozen=True, slots=True, eq=False)
class PayloadResult:
    """A whole payload: its tensors in order, its end, and what was noted on the way."""

    tensors: tuple[TensorResult, ...]
    end: End
    notes: tuple[Note, ...]
