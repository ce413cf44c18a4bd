"""Temporal and history contexts with initialization ids that tell them apart."""

from __future__ import annotations

import numpy as np

from nnr_conformance.entropy import TensorCoding, decode_payload

# By NNCodec 2.1.3 with optimized ids: the two sign contexts of the base got ids 2 and 1. The vectors' temporal
# payloads keep id 0, with which some exchanges of contexts would not be noticed.
PAYLOAD = bytes.fromhex(
    "eb940acef7948070c8f2e01552846500624dfa034ba851a7e5b18f4d296eecc4689ed6ce0548cf6676c6a5a910a7a7f8"
)
LEVELS = [
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [-4, -5, 1, 6, -1, -4, 0, 8, 2, -7, -6, 1],
    [3, 0, -4, -1, 6, 6, -7, -1, 1, 7, 0, -4],
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [-2, -5, 1, 3, 1, -8, -1, 8, 3, -6, -8, -1],
    [7, 1, -6, -1, 7, 1, -5, -6, -1, 4, 1, -2],
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [-6, -5, -1, 3, 1, -3, 0, 8, 2, -2, -6, 1],
    [0, 1, -3, -1, 3, 7, -2, -2, -1, 7, 1, 0],
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
]
INDICES = np.arange(120).reshape(10, 12)
BASE = (INDICES * 7 % 9 - 4).astype(np.int32)
BASE[np.abs(BASE) > 3] = 0
HISTORY = INDICES % 3 == 0


def test_contexts_of_the_base_are_those_that_nncodec_optimized(compiled: bool) -> None:
    coding = TensorCoding((10, 12), 4, False, 0, 2, 8, parent_present=True, base=BASE, history=HISTORY)
    tensor = decode_payload(PAYLOAD, [coding], compiled=compiled).tensors[0]
    ids = dict(tensor.init_ids)
    assert tensor.history_flag
    assert (ids[51], ids[52]) == (2, 1)
    assert tensor.quantized.tolist() == LEVELS
