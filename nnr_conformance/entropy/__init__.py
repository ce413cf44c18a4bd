"""Clause 10: entropy-coded payloads to integers.

This package knows integers and arrays only; what a header says of a tensor comes in as `TensorCoding`.
"""

from nnr_conformance.entropy.binding import Execution, choose_execution, compiled_available
from nnr_conformance.entropy.capacity import check_capacity
from nnr_conformance.entropy.faults import EntropyFault, Note
from nnr_conformance.entropy.parameters import (
    End,
    EntryPoint,
    PayloadResult,
    PayloadRules,
    TensorCoding,
    TensorResult,
)
from nnr_conformance.entropy.payload import PayloadDecoder
from nnr_conformance.entropy.together import decode_payload
from nnr_conformance.entropy.trellis import Trellis, trellis_states

__all__ = [
    "End",
    "EntropyFault",
    "EntryPoint",
    "Execution",
    "Note",
    "PayloadDecoder",
    "PayloadResult",
    "PayloadRules",
    "TensorCoding",
    "TensorResult",
    "Trellis",
    "check_capacity",
    "choose_execution",
    "compiled_available",
    "decode_payload",
    "trellis_states",
]
