"""One source, several lives: the encoder's loops interpreted, compiled by numba, and pricing instead of writing.

A binding takes the code objects of the loop functions and gives them other globals: tables as unsigned arrays, the
functions that they call in compiled form, constants. File names and line numbers stay, so that tracebacks and numba's
cache on disk work. numba is imported only when a compiled binding is asked for.
"""

from __future__ import annotations

import builtins
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from nnr_conformance.encoder import bin_writer, level_writer, trellis_search
from nnr_conformance.entropy import compiled_available
from nnr_conformance.errors import UsageError

Bound = Callable[..., Any]

COMPILED_FROM = 300_000
"""Weights from which loading compiled code pays for itself: interpreted, a weight takes 2 to 5 microseconds."""
COMPILED_FROM_WHEN_LOADED = 1_000
"""The same once the compiled code is loaded in this process."""


@dataclass(frozen=True, slots=True)
class Loop:
    """A function to bind, and how.

    `calls`: the functions that it calls, in the order of compilation, by module and name; those in `apart` are compiled
    as functions of their own, the others into their caller. `signature`: numba's types as a text. `replaced`: functions
    that take the place of others of the name that is the key. `constants`: globals with another value.
    """

    module: ModuleType
    name: str
    signature: str
    calls: tuple[tuple[ModuleType, str], ...] = ()
    apart: frozenset[str] = frozenset()
    replaced: Mapping[str, str] | None = None
    constants: Mapping[str, Any] | None = None


_BYTES, _CELLS, _COUNTERS, _FLAGS, _LEVELS = "u1[::1]", "i8[::1]", "u2[::1]", "u1[::1]", "i4[::1]"
_FLOATS = "f8[::1]"
_CONTEXTS = f"{_COUNTERS},{_COUNTERS},{_COUNTERS},{_COUNTERS}"
_ROWS = f"{_CELLS},{_CONTEXTS},{_CELLS},{_FLAGS},{_LEVELS},{_FLAGS},{_LEVELS},{_CELLS}"
_ENGINE_CALLS = ((bin_writer, "write_bytes"), (bin_writer, "encode_bin"), (bin_writer, "encode_bypass"))
_PRICING_CALLS = ((bin_writer, "price_bin"), (bin_writer, "price_bypass"))
_LEVEL_CALLS = (
    (level_writer, "encode_magnitude"),
    (level_writer, "encode_segment"),
    (level_writer, "pass_segment"),
    (level_writer, "start_block_row"),
)
_APART = frozenset({"write_bytes", "price_bin", "encode_segment", "pass_segment", "start_block_row"})
_PRICES = {"encode_bin": "price_bin", "encode_bypass": "price_bypass"}

LOOPS: Mapping[str, Loop] = {
    "encode_rows": Loop(
        level_writer, "encode_rows", f"void({_BYTES},{_ROWS})", _ENGINE_CALLS + _LEVEL_CALLS, _APART, {}, {}
    ),
    "encode_plain_rows": Loop(
        level_writer,
        "encode_rows",
        f"void({_BYTES},{_ROWS})",
        _ENGINE_CALLS + _LEVEL_CALLS,
        _APART,
        {},
        {"ALL_TOOLS": False},
    ),
    "price_rows": Loop(
        level_writer, "encode_rows", f"void({_CELLS},{_ROWS})", _PRICING_CALLS + _LEVEL_CALLS, _APART, _PRICES, {}
    ),
    "encode_flags": Loop(
        level_writer,
        "encode_flags",
        f"void({_BYTES},{_CELLS},{_COUNTERS},{_COUNTERS},i8,{_FLAGS})",
        _ENGINE_CALLS,
        _APART,
    ),
    "bits_at_most": Loop(level_writer, "bits_at_most", f"i8({_LEVELS},i8)"),
    "search_trellis": Loop(
        trellis_search,
        "search_trellis",
        f"i8({_FLOATS},{_FLOATS},{_FLOATS},f8,{_COUNTERS},{_FLOATS})",
        ((trellis_search, "nearest_magnitude"), (trellis_search, "level_rate")),
    ),
    "trace_trellis": Loop(
        trellis_search,
        "trace_trellis",
        f"void({_FLOATS},{_COUNTERS},i8,{_LEVELS},{_LEVELS},{_CELLS})",
        ((trellis_search, "nearest_magnitude"),),
    ),
    "choose_levels": Loop(
        trellis_search,
        "choose_levels",
        f"void({_FLOATS},{_FLOATS},{_FLOATS},f8,{_LEVELS})",
        ((trellis_search, "level_rate"),),
    ),
}
"""The loops that can be bound, by the name of the binding."""


def choose_compiled(weights: int, name: str) -> bool:
    """Whether a compiled loop is the faster choice for a job of so many weights."""
    loaded = _COMPILERS[name].cache_info().currsize
    return weights >= (COMPILED_FROM_WHEN_LOADED if loaded else COMPILED_FROM) and compiled_available()


def bound(name: str, *, compiled: bool) -> Bound:
    """A loop of `LOOPS` in one life. Raises UsageError for compiled code where there is no numba."""
    if not compiled:
        return _interpreted(name)
    if not compiled_available():
        raise UsageError("compiled encoding needs numba (nnr-conformance[fast]) and no NNR_PURE=1 in the environment")
    return _COMPILERS[name]()


@cache
def _interpreted(name: str) -> Bound:
    loop = LOOPS[name]
    namespace = _constants(loop, as_arrays=False)
    for module, called in (*loop.calls, (loop.module, loop.name)):
        _define(namespace, loop, called, _twin(getattr(module, called), namespace, called))
    result: Bound = namespace[loop.name]
    return result


def _compiled(name: str) -> Bound:
    # RuntimeError: no folder for the cache can be written; OSError: it could be, until the disk was full.
    try:
        return compile_loop(name, cached=True)
    except (OSError, RuntimeError):
        return compile_loop(name, cached=False)


_COMPILERS = {name: cache(partial(_compiled, name)) for name in LOOPS}


def compile_loop(name: str, *, cached: bool) -> Bound:
    """Compile a loop with all that it calls; `cached`: through numba's cache on disk."""
    from numba import njit  # noqa: PLC0415 -- importing it costs 0.2 s that an interpreted run must not pay

    loop = LOOPS[name]
    namespace = _constants(loop, as_arrays=True)
    # numba's cache knows a function by its name and its own bytecode only, not by what is inlined into it.
    suffix = f"{name}_{_digest(name)}"
    compiler: Any = njit
    # Without _nrt=False numba counts references to every array at every call of a helper.
    options = {"nogil": True, "error_model": "numpy", "_nrt": False, "cache": cached}
    for module, called in loop.calls:
        twin = _twin(getattr(module, called), namespace, f"{called}_{suffix}")
        inlined = {} if called in loop.apart else {"forceinline": True}
        _define(namespace, loop, called, compiler(**options, **inlined)(twin))
    twin = _twin(getattr(loop.module, loop.name), namespace, f"{loop.name}_{suffix}")
    result: Bound = compiler(_signature(loop.signature), **options)(twin)
    return result


def _signature(text: str) -> Any:
    import numba  # noqa: PLC0415 -- as in compile_loop

    types: Any = numba.types
    names = {"u1": "uint8", "u2": "uint16", "i4": "int32", "i8": "int64", "f8": "float64", "void": "void"}
    result, _, arguments = text.rstrip(")").partition("(")
    parsed = []
    for argument in arguments.split(","):
        kind = getattr(types, names[argument[:2]])
        parsed.append(types.Array(kind, 1, "C") if argument.endswith("[::1]") else kind)
    return getattr(types, names[result])(*parsed)


def _define(namespace: dict[str, Any], loop: Loop, name: str, function: Any) -> None:
    namespace[name] = function
    for replaced, by in (loop.replaced or {}).items():
        if by == name:
            namespace[replaced] = function


def _constants(loop: Loop, *, as_arrays: bool) -> dict[str, Any]:
    namespace: dict[str, Any] = {"__name__": loop.module.__name__, "__builtins__": builtins}
    for module in {loop.module, *(module for module, _ in loop.calls)}:
        for name, value in vars(module).items():
            if isinstance(value, tuple) and name.isupper() and as_arrays:
                namespace[name] = np.array(value, np.min_scalar_type(max(value)))
            elif isinstance(value, (int, float, tuple)) and name.isupper():
                namespace[name] = value
    return namespace | dict(loop.constants or {})


def _twin(function: FunctionType, namespace: dict[str, Any], name: str) -> FunctionType:
    twin = FunctionType(function.__code__, namespace, name, function.__defaults__)
    twin.__qualname__ = name
    twin.__module__ = function.__module__
    return twin


@cache
def _digest(name: str) -> str:
    loop = LOOPS[name]
    digest = hashlib.sha256(repr((loop.signature, sorted(loop.apart))).encode())
    for module, called in (*loop.calls, (loop.module, loop.name)):
        code = getattr(module, called).__code__
        digest.update(repr((code.co_code, code.co_consts, code.co_names)).encode())
    for constant, value in sorted(_constants(loop, as_arrays=False).items()):
        if constant.isupper():
            digest.update(repr((constant, value)).encode())
    return digest.hexdigest()[:12]
