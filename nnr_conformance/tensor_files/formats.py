"""What reading and writing tensor files have in common: dtypes, limits, suffixes, reasons of failures."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as numpy_format

from nnr_conformance.errors import UsageError

npy: Any = numpy_format  # NumPy 1.26 declares no types for it

BLOCK = 1 << 24
"""Bytes that are copied at one time."""
HEADER_LIMIT = 100_000_000
"""Bytes of the header of a .safetensors file, by its own rules."""

DTYPES = {
    "BOOL": np.dtype(np.bool_),
    "I8": np.dtype(np.int8),
    "I16": np.dtype(np.int16),
    "I32": np.dtype(np.int32),
    "I64": np.dtype(np.int64),
    "U8": np.dtype(np.uint8),
    "U16": np.dtype(np.uint16),
    "U32": np.dtype(np.uint32),
    "U64": np.dtype(np.uint64),
    "F16": np.dtype(np.float16),
    "F32": np.dtype(np.float32),
    "F64": np.dtype(np.float64),
}
DTYPE_NAMES = {dtype: name for name, dtype in DTYPES.items()}


def little_endian(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The same dtype with the byte order of the files."""
    return dtype.newbyteorder("<")


def suffix_of(path: str | os.PathLike[str]) -> str:
    """The suffix that names the format of a file. Raises UsageError for another one."""
    suffix = Path(path).suffix.lower()
    if suffix not in {".npz", ".safetensors"}:
        raise UsageError(f"{os.fspath(path)}: the name of a tensor file ends in .npz or .safetensors")
    return suffix


def reason_of(error: Exception) -> str:
    """What went wrong, in a few words."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
