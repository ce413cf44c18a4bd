"""atheris harness for the entropy decoder: ``python -m fuzz.harness_entropy -max_total_time=60``.

The first bytes of an input choose the parameters of a tensor, the rest is its payload; it decodes to a tensor of that
shape, or to a fault of the package at a bit inside the payload.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from fuzz.coverage_guided import start

PARAMETERS = 8
"""Bytes in front of the payload."""


def load() -> Callable[[bytes], None]:
    """Import the entropy decoder; the function that takes one input."""
    import numpy as np  # noqa: PLC0415 -- not needed where atheris is missing

    from nnr_conformance.entropy import (  # noqa: PLC0415 -- instrumented while it is imported
        EntropyFault,
        TensorCoding,
        decode_payload,
    )

    def one_input(data: bytes) -> None:
        if len(data) < PARAMETERS:
            return
        rows, columns, unary, tools, scan, qp_bits, size, zero = data[:PARAMETERS]
        shape = (1 + rows % 40, 1 + columns % 40)
        earlier = np.frombuffer(bytes(data[:1]) * (shape[0] * shape[1]), np.int8).reshape(shape) % 3
        codebook = 1 + size % 40 if tools & 4 else 0
        coding = TensorCoding(
            shape=shape,
            unary_length=1 + unary,
            dq=bool(tools & 1),
            scan_order=scan % 5,
            edition=1 + (tools >> 1 & 1),
            qp_bits=qp_bits % 14,
            codebook_size=codebook,
            codebook_zero=zero % codebook if codebook else 0,
            base=earlier.astype(np.int32) if tools & 8 else None,
            history=earlier if tools & 16 else None,
        )
        try:
            decoded = decode_payload(data[PARAMETERS:], [coding], compiled=False)
        except EntropyFault as fault:
            if not 0 <= fault.bit <= 8 * (len(data) - PARAMETERS):
                raise AssertionError(f"{fault.code} at bit {fault.bit} of {len(data) - PARAMETERS} bytes") from fault
            return
        if decoded.tensors[0].quantized.shape != shape:
            raise AssertionError(f"decoded {decoded.tensors[0].quantized.shape}, not {shape}")

    return one_input


if __name__ == "__main__":
    sys.exit(start("fuzz.harness_entropy", load))
