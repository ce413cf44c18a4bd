"""NNCodec 2.1.3 as its users call it, where it is installed."""

from __future__ import annotations

import importlib
import sys
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
CALLS = ROOT / "examples" / "nncodec"


@cache
def compression() -> Any:
    """The module with `compress` and `decompress`, None without NNCodec."""
    try:
        importlib.import_module("nncodec.extensions")
    except ImportError:
        return None
    if str(CALLS) not in sys.path:
        sys.path.append(str(CALLS))
    return importlib.import_module("nncodec_calls").compression


@cache
def entropy_coder() -> Any:
    """The C++ entropy coder alone, None without NNCodec."""
    try:
        return importlib.import_module("nncodec.extensions").deepCABAC
    except ImportError:
        return None
