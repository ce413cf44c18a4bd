"""What is done to a model and to options before `nncodec.nnc.compress`: only what its callers have to do themselves.

Options are the arguments of `compress`, and three more: `history`, whether updates use history contexts, `raw`, whether
floats are left as they are (see `nncodec_calls`), and `local_scaling`, whether weights are given as rows with a scaling
each. NNCodec finds scalings by training; here they are the largest magnitudes of the rows, since there is nothing to
train on.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Arrays = dict[str, Any]
OWN = ("history", "local_scaling", "raw")
INTEGERS, FLOATS = np.iinfo(np.int32), np.finfo(np.float32)


def accepted_kinds(tensors: Arrays) -> Arrays:
    """The model in the two types that `compress` takes, where they hold it, as `nncodec.tensor.encode` converts."""
    return {name: _accepted(values) for name, values in tensors.items()}


def _accepted(values: Any) -> Any:
    if values.dtype.kind in "iu" and not (_outside(values, INTEGERS.min, INTEGERS.max)):
        return values.astype(np.int32)
    if values.dtype.kind == "f" and not _outside(np.where(np.isfinite(values), values, 0), FLOATS.min, FLOATS.max):
        return values.astype(np.float32)
    return values


def _outside(values: Any, least: Any, most: Any) -> bool:
    return bool(values.size) and bool(values.min() < least or values.max() > most)


def with_scalings(tensors: Arrays) -> tuple[Arrays, dict[str, Any]]:
    """Weights as rows of at most 1 and their scalings, and which tensors are one block, as `compress` wants to know."""
    found: Arrays = {}
    blocks: dict[str, dict[str, Any]] = {"block_identifier": {}, "parameter_type": {}}
    for name, values in tensors.items():
        scaling = f"{name}_scaling"
        if values.ndim < 2 or values.dtype != np.float32 or not values.size or scaling in tensors:
            found[name] = values
            continue
        largest = np.abs(values).reshape(len(values), -1).max(axis=1)
        largest = np.where((largest > 0) & np.isfinite(largest), largest, 1).astype(np.float32)
        found[scaling] = largest
        found[name] = values / largest.reshape(-1, *[1] * (values.ndim - 1))
        for part, kind in ((name, "weight"), (scaling, "weight.ls")):
            blocks["block_identifier"][part] = name
            blocks["parameter_type"][part] = kind
    return found, blocks
