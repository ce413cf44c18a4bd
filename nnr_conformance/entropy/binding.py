"""One source, two lives: the loops of this package as interpreted Python and compiled by numba.

A binding takes the code objects of the loop functions and gives them other globals: tables as unsigned arrays, the
functions that they call in compiled form, and the constant `ALL_TOOLS`. File names and line numbers stay, so that
tracebacks and numba's cache on disk work. numba is imported only when a compiled binding is asked for.
"""

from __future__ import annotations

import builtins
import hashlib
import importlib.util
import os
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import cache
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from nnr_conformance.entropy import binarization, engine, retrace, rows

Bound = Callable[..., Any]

COMPILED_FROM = 600_000
"""Payload bits from which compiling, or loading compiled code from the cache (0.4 s), pays for itself: interpreted,
1 to 2 Mbit of payload take a second."""
COMPILED_FROM_WHEN_LOADED = 20_000
"""The same once compiled code is loaded in this process."""

_INLINED: tuple[tuple[ModuleType, str], ...] = (
    (engine, "refill"),
    (engine, "decode_bin"),
    (engine, "decode_bin_branchless"),
    (engine, "decode_bypass"),
    (binarization, "decode_magnitude"),
)
_CALLED: tuple[tuple[ModuleType, str], ...] = (
    (rows, "decode_segment"),
    (rows, "skip_segment"),
    (rows, "start_block_row"),
    (rows, "decode_rows"),
)
_RETRACE: tuple[tuple[ModuleType, str], ...] = ((retrace, "retrace"),)


class Execution(Enum):
    """How the weight loops run."""

    INTERPRETED = "interpreted"
    COMPILED = "compiled"


@dataclass(frozen=True, slots=True)
class Kernels:
    """The entry points of one binding: `rows.decode_rows` and `retrace.retrace`."""

    decode_rows: Bound
    retrace: Bound


def compiled_available() -> bool:
    """Whether the weight loops can be compiled: numba is installed and NNR_PURE is not 1."""
    return not _pure() and _numba_installed()


def choose_execution(work_bits: int) -> tuple[Execution, str]:
    """The faster execution for a job of `work_bits` payload bits, and advice (empty: none) on getting a faster one."""
    threshold = COMPILED_FROM_WHEN_LOADED if _compiled_kernels.cache_info().currsize else COMPILED_FROM
    if _pure() or work_bits < threshold:
        return Execution.INTERPRETED, ""
    if _numba_installed():
        return Execution.COMPILED, ""
    return Execution.INTERPRETED, "numba is not installed; with it (nnr-conformance[fast]) this decodes 50 times faster"


def kernels(*, all_tools: bool, compiled: bool) -> Kernels:
    """The weight loops of one life. `all_tools`: with codebook, base and history."""
    if not compiled:
        return _interpreted_kernels(all_tools)
    try:
        return _compiled_kernels(all_tools, cached=True)
    except OSError:
        return _compiled_kernels(all_tools, cached=False)


def _pure() -> bool:
    return os.environ.get("NNR_PURE", "") == "1"


@cache
def _numba_installed() -> bool:
    return importlib.util.find_spec("numba") is not None


@cache
def _interpreted_kernels(all_tools: bool) -> Kernels:
    namespace = _constants(all_tools, as_arrays=False)
    for module, name in _INLINED + _CALLED + _RETRACE:
        namespace[name] = _twin(getattr(module, name), namespace, name)
    namespace["decode_sign"] = namespace["decode_bin"]
    return Kernels(namespace["decode_rows"], namespace["retrace"])


@cache
def _compiled_kernels(all_tools: bool, *, cached: bool) -> Kernels:
    import numba  # noqa: PLC0415 -- importing it costs 0.2 s that an interpreted run must not pay

    namespace = _constants(all_tools, as_arrays=True)
    # numba's cache knows a function by its name and its own bytecode only, not by what is inlined into it.
    suffix = f"{'tools' if all_tools else 'plain'}_{_digest()}"
    # Without _nrt=False numba counts references to every array at every call of a helper: 2.5 times slower.
    options = {"nogil": True, "error_model": "numpy", "_nrt": False}

    def compile_into(functions: tuple[tuple[ModuleType, str], ...], signature: Any = None, **more: Any) -> None:
        for module, name in functions:
            twin = _twin(getattr(module, name), namespace, f"{name}_{suffix}")
            arguments = () if signature is None else (signature,)
            namespace[name] = _jit(numba, twin, arguments, cached, options | more)

    types = numba.types
    payload = types.Array(types.uint8, 1, "C", readonly=True)
    flags, levels, cells, counters = types.uint8[::1], types.int32[::1], types.int64[::1], types.uint16[::1]
    compile_into(_INLINED, forceinline=True)
    namespace["decode_sign"] = namespace["decode_bin_branchless"]
    compile_into(_CALLED[:-1])
    compile_into(
        _CALLED[-1:],
        types.void(payload, cells, counters, counters, counters, counters, cells, flags, levels, flags, levels, cells),
    )
    compile_into(_RETRACE)
    return Kernels(namespace["decode_rows"], namespace["retrace"])


def _jit(numba: Any, function: Bound, arguments: tuple[Any, ...], cached: bool, options: dict[str, Any]) -> Bound:
    if cached:
        try:
            return numba.njit(*arguments, cache=True, **options)(function)  # type: ignore[no-any-return]
        except RuntimeError:
            # No folder for the cache can be written.
            pass
    return numba.njit(*arguments, **options)(function)  # type: ignore[no-any-return]


def _constants(all_tools: bool, *, as_arrays: bool) -> dict[str, Any]:
    namespace: dict[str, Any] = {"__name__": rows.__name__, "__builtins__": builtins}
    for module in (engine, binarization, retrace, rows):
        for name, value in vars(module).items():
            if name.isupper():
                table = isinstance(value, tuple) and as_arrays
                namespace[name] = np.array(value, np.min_scalar_type(max(value))) if table else value
    namespace["ALL_TOOLS"] = all_tools
    return namespace


def _twin(function: FunctionType, namespace: dict[str, Any], name: str) -> FunctionType:
    twin = FunctionType(function.__code__, namespace, name, function.__defaults__)
    twin.__qualname__ = name
    twin.__module__ = function.__module__
    return twin


@cache
def _digest() -> str:
    digest = hashlib.sha256()
    for module, name in _INLINED + _CALLED + _RETRACE:
        code = getattr(module, name).__code__
        digest.update(repr((code.co_code, code.co_consts, code.co_names)).encode())
    for name, value in sorted(_constants(False, as_arrays=False).items()):
        if name.isupper():
            digest.update(repr((name, value)).encode())
    return digest.hexdigest()[:12]
