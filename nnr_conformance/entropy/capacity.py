"""Bounds that are checked before memory is taken for a tensor."""

from __future__ import annotations

from nnr_conformance.entropy.faults import EntropyFault
from nnr_conformance.entropy.parameters import TensorCoding
from nnr_conformance.errors import UsageError
from nnr_conformance.limits import LEVELS_PER_PAYLOAD_BYTE, Limits

LARGEST_SCAN_ORDER = 4
LARGEST_UNARY_LENGTH = 256
LARGEST_QP_BITS = 13
LARGEST_ELEMENTS = (1 << 31) - 1


def check_coding(coding: TensorCoding, bit: int, tensor: int) -> None:
    """Refuse parameters that no tensor can have.

    Raises EntropyFault dims_invalid, elements_overflow, scan_order_invalid, codebook_invalid, base_shape or
    history_shape; UsageError for parameters that no header can express.
    """
    if not coding.shape or min(coding.shape) < 1:
        raise EntropyFault("dims_invalid", bit, tensor, f"dimensions {_listed(coding.shape)} of tensor {tensor}")
    if coding.elements > LARGEST_ELEMENTS:
        message = f"{coding.elements} elements; at most {LARGEST_ELEMENTS} are allowed"
        raise EntropyFault("elements_overflow", bit, tensor, message)
    if not 0 <= coding.scan_order <= LARGEST_SCAN_ORDER:
        raise EntropyFault("scan_order_invalid", bit, tensor, f"scan_order is {coding.scan_order}; 0 to 4 are allowed")
    size, zero = coding.codebook_size, coding.codebook_zero
    if size < 0 or (size and not 0 <= zero < size):
        raise EntropyFault("codebook_invalid", bit, tensor, f"CbZeroOffset {zero} in a codebook of {size} entries")
    for code, array, what in (
        ("base_shape", coding.base, "base"),
        ("history_shape", coding.history, "history"),
    ):
        if array is not None and array.shape != coding.shape:
            found, required = _listed(array.shape), _listed(coding.shape)
            raise EntropyFault(code, bit, tensor, f"the {what} has dimensions {found}, the tensor {required}")
    if not 1 <= coding.unary_length <= LARGEST_UNARY_LENGTH:
        raise UsageError(f"unary_length {coding.unary_length} is not in 1 to {LARGEST_UNARY_LENGTH}")
    if coding.edition not in (1, 2) or not 0 <= coding.qp_bits <= LARGEST_QP_BITS:
        raise UsageError(f"edition {coding.edition}, qp_bits {coding.qp_bits}")


def check_capacity(coding: TensorCoding, payload_bytes: int, limits: Limits, bit: int, tensor: int) -> None:
    """Refuse a tensor with more weights than its payload can carry, or than the limits let through for nothing.

    Raises EntropyFault limit_elements where weights can cost nothing (codebook of one entry, skipped rows), else
    dims_exceed_payload.
    """
    allowed = elements_allowed(payload_bytes, limits)
    free = coding.bound_size == 1 or coding.two_dimensional_tools
    if coding.elements > limits.tensor_elements or (free and coding.elements > allowed):
        message = f"{coding.elements} elements; at most {limits.tensor_elements}, or {allowed} that cost nothing"
        raise EntropyFault("limit_elements", bit, tensor, message)
    if coding.elements > allowed:
        message = f"{coding.elements} elements in a payload of {payload_bytes} bytes, which carries at most {allowed}"
        raise EntropyFault("dims_exceed_payload", bit, tensor, message)


def elements_allowed(payload_bytes: int, limits: Limits) -> int:
    """Elements of a tensor that a payload of this size can carry, with what the limits let through for nothing."""
    return LEVELS_PER_PAYLOAD_BYTE * payload_bytes + limits.free_elements


def _listed(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "none"
