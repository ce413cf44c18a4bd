"""A model with every kind of tensor that can be encoded, and settings that together use every tool."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from nnr_conformance.encoder.settings import BlockPlan, EncoderSettings

BLOCK = BlockPlan("conv.weight", "conv.bias", ("bn.beta", "bn.gamma", "bn.mean", "bn.var"), local_scaling=True)


def model(seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    dense = rng.normal(0, 0.05, (40, 50)).astype(np.float32)
    dense[10:16] = 0
    return {
        "conv.weight": rng.normal(0, 0.1, (12, 4, 3, 3)).astype(np.float32),
        "conv.bias": rng.normal(0, 0.1, 12).astype(np.float32),
        "bn.beta": rng.normal(0, 0.1, 12).astype(np.float32),
        "bn.gamma": rng.uniform(0.5, 1.5, 12).astype(np.float32),
        "bn.mean": rng.normal(0, 0.1, 12).astype(np.float32),
        "bn.var": rng.uniform(0.5, 1.5, 12).astype(np.float32),
        "dense": dense,
        "half": rng.normal(0, 1, (5, 6)).astype(np.float16),
        "double": rng.normal(0, 1, (2, 3, 2, 2, 2)),
        "tall": rng.normal(0, 1, (9, 1)).astype(np.float32),
        "scalar": np.array(3.5, np.float32),
        "steps": np.array(7),
        "bytes": np.arange(-5, 5, dtype=np.int8),
        "words": np.arange(40, dtype=np.uint16).reshape(4, 10),
        "mask": np.array([True, False]),
        "long": np.array([[2**31 - 1, -(2**31)]]),
    }


SETTINGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "edition 1": {"profile": 0},
    "edition 1, dependent, blocks": {"profile": 0, "dq": True, "scan_order": 1},
    "dependent": {"dq": True},
    "dependent, blocks, row skip": {"dq": True, "scan_order": 1, "row_skip": True},
    "row skip": {"row_skip": True, "init_ids": False},
    "rate-distortion": {"price": 0.2},
    "deadzone": {"deadzone": 0.2},
    "codebook": {"codebook": 17},
    "codebook of one entry": {"codebook": 1},
    "factors": {"rank": 3},
    "factors, blocks": {"rank": 9, "scan_order": 1},
    "factors apart": {"rank": 3, "blocked_factors": False, "dq": True},
    "factors apart, blocks": {"rank": 9, "blocked_factors": False, "scan_order": 1},
    "factors, codebooks": {"rank": 3, "codebook": 9},
    "layer block": {"blocks": (BLOCK,)},
    "layer block, folded": {"blocks": (replace(BLOCK, fold=True),), "dq": True},
    "layer block, factors": {"blocks": (replace(BLOCK, rank=3, local_scaling=False),), "codebook": 5},
    "parts": {"part_bytes": 100},
    "aggregate": {"aggregate": True},
    "short unary part": {"unary_length": 1},
    "long unary part": {"unary_length": 256},
    "other densities": {"qp_density": 0, "qp": -10, "vector_qp": -20},
    "formats, no ids": {"keep_formats": True, "node_ids": False},
}


REMARKS = {"formats, no ids": {"decompressed_data_format_extension"}} | {
    name: {"factors_outside_block"} for name in SETTINGS if name.startswith("factors apart")
}
"""What a checker remarks, for information, on tools that were asked for."""


def settings(name: str) -> EncoderSettings:
    return EncoderSettings(**SETTINGS[name])
