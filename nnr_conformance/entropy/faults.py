"""Why decoding of a payload stops, and what it notes without stopping."""

from __future__ import annotations

from dataclasses import dataclass

from nnr_conformance.errors import NnrError

PREFIX_OVERFLOW, LEVEL_OVERFLOW, PARAMETER_OVERFLOW, LEVEL_OUT_OF_CODEBOOK, RESTART_OFFSET, OVERRUN = range(1, 7)
"""Faults of the weight loop, as it stores them in the engine's cell FAULT."""

LEVEL_BEYOND_BOUND, FIRST_RESTART_OFFSET = 7, 8
"""Two of these faults under other circumstances: a level that a codebook of edition 2 bounds, the first block row."""

FAULT_CODES = {
    PREFIX_OVERFLOW: "prefix_overflow",
    LEVEL_OVERFLOW: "level_overflow",
    PARAMETER_OVERFLOW: "quantized_parameter_overflow",
    LEVEL_OUT_OF_CODEBOOK: "level_out_of_codebook",
    RESTART_OFFSET: "entry_point_offset_out_of_range",
    OVERRUN: "payload_overrun",
    LEVEL_BEYOND_BOUND: "level_beyond_bound",
    FIRST_RESTART_OFFSET: "block_scan_offset_out_of_range",
}
"""Rows of `spec/diagnostics.yaml` that these faults are."""

FAULT_TEXTS = {
    PREFIX_OVERFLOW: "31 ones in the prefix of the remainder; at most 30 are allowed",
    LEVEL_OVERFLOW: "the level is outside the range of a signed 32-bit integer",
    PARAMETER_OVERFLOW: "the level, doubled, is outside the range of a signed 32-bit integer",
    LEVEL_OUT_OF_CODEBOOK: "the level is not an index into the codebook",
    RESTART_OFFSET: "the offset is not below 256 where the block row restarts the interval",
    OVERRUN: "decoding needs bits beyond the end of the payload",
    LEVEL_BEYOND_BOUND: "the remainder leads beyond the levels that the codebook has",
    FIRST_RESTART_OFFSET: "the offset is not below 256 where the block scan starts the interval again",
}


class EntropyFault(NnrError):
    """Decoding of a payload cannot go on.

    `code`: a row of `spec/diagnostics.yaml`. `bit`: payload bits read when it was found. `tensor`: index of the tensor
    in the payload, or the number of tensors decoded when the end of the payload is at fault.
    """

    def __init__(self, code: str, bit: int, tensor: int, message: str) -> None:
        # All arguments, so that the fault can be sent between processes.
        super().__init__(code, bit, tensor, message)
        self.code = code
        self.bit = bit
        self.tensor = tensor
        self.message = message

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True, slots=True)
class Note:
    """An observation that does not stop decoding; the fields are those of EntropyFault.

    `element`: the element of the unit's header that is wrong, with its subscript; empty for the payload itself.
    """

    code: str
    bit: int
    tensor: int
    message: str
    element: str = ""
