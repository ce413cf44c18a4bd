"""One source, several lives: the encoder's loops interpreted, compiled by numba, and pricing instead of writing.

A binding takes the code objects of the loop functions and gives them other globals: tables as unsigned arrays, the
functions that they call in compiled form, constants. File names and line numbers stay, so that tracebacks work.
numba is imported only when there is something to compile: what was compiled is kept as machine code (`machine_code`).
"""

from __future__ import annotations

import builtins
import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from threading import RLock
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from nnr_conformance import machine_code
from nnr_conformance.encoder import bin_writer, level_writer, trellis_search
from nnr_conformance.entropy import compiled_available
from nnr_conformance.errors import UsageError

Bound = Callable[..., Any]

_LOADING = RLock()
"""Held while something is compiled or loaded, so that threads that need the same wait for one of them."""
INTERPRETED: Mapping[str, float] = {
    "encode_rows": 0.65e-6,
    "encode_plain_rows": 0.65e-6,
    "price_rows": 0.32e-6,
    "search_trellis": 12e-6,
    "choose_levels": 1.6e-6,
}
"""Seconds that a bin to write, a price of a bin, or a weight to search takes interpreted, by the loop that chooses for
others. Measured with levels of 1 to 16 bins; see docs/speed.md."""
COMPILING: Mapping[str, float] = {
    "encode_rows": 2.2,
    "encode_plain_rows": 1.8,
    "price_rows": 1.4,
    "search_trellis": 0.7,
    "choose_levels": 0.3,
}
"""Seconds that compiling takes, of this loop and of those that are used with it."""
STARTING = 0.35
"""Seconds that it takes to import the compiler."""
LOADING = 0.1
"""Seconds that it takes to load machine code that is kept."""
MOVING = 0.004
"""Seconds of interpreted work from which moving the arguments to compiled code pays, once it is loaded."""


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


def choose_compiled(count: int, name: str) -> bool:
    """Whether a compiled loop is the faster choice for so much of what `INTERPRETED` counts."""
    return choose_all_compiled({name: count})


def choose_all_compiled(work: Mapping[str, int]) -> bool:
    """Whether compiled loops are the faster choice for a job that takes several, each with so much to do."""
    interpreted = sum(count * INTERPRETED[name] for name, count in work.items())
    needed = [name for name, count in work.items() if count and not is_loaded(name)]
    # Whether something is kept has to be looked up, which small work need not wait for.
    if interpreted < MOVING or (needed and interpreted < LOADING) or not compiled_available():
        return False
    missing = [name for name in needed if not machine_code.is_kept(name, _digest(name))]
    compiling = STARTING + sum(COMPILING[name] for name in missing) if missing else 0.0
    return interpreted >= compiling + (LOADING if len(missing) < len(needed) else 0.0)


def is_loaded(name: str) -> bool:
    """Whether compiled code of a loop was asked for in this process."""
    return _COMPILERS[name].cache_info().currsize > 0


def bound(name: str, *, compiled: bool) -> Bound:
    """A loop of `LOOPS` in one life. Raises UsageError for compiled code where there is no numba."""
    if not compiled:
        return _interpreted(name)
    if not compiled_available():
        raise UsageError("compiled encoding needs numba (nnr-conformance[fast]) and no NNR_PURE=1 in the environment")
    with _LOADING:
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
    return machine_code.bound(name, _digest(name), LOOPS[name].signature, partial(compile_loop, name))


_COMPILERS = {name: cache(partial(_compiled, name)) for name in LOOPS}


def compile_loop(name: str, entrance: bool) -> Any:
    """A loop compiled by numba with all that it calls; `entrance`: so that Python can call it."""
    from numba import njit  # noqa: PLC0415 -- importing it costs 0.2 s that an interpreted run must not pay

    loop = LOOPS[name]
    namespace = _constants(loop, as_arrays=True)
    compiler: Any = njit
    # Without _nrt=False numba counts references to every array at every call of a helper.
    options = {"nogil": True, "error_model": "numpy", "_nrt": False, "no_cfunc_wrapper": True}
    for module, called in loop.calls:
        twin = _twin(getattr(module, called), namespace, called)
        inlined = {} if called in loop.apart else {"forceinline": True}
        _define(namespace, loop, called, compiler(no_cpython_wrapper=True, **options, **inlined)(twin))
    twin = _twin(getattr(loop.module, loop.name), namespace, loop.name)
    return compiler(loop.signature, no_cpython_wrapper=not entrance, **options)(twin)


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
    with suppress(OSError, TypeError):
        # How it is compiled is written here.
        digest.update(Path(__file__).read_bytes())
    for module, called in (*loop.calls, (loop.module, loop.name)):
        code = getattr(module, called).__code__
        digest.update(repr((code.co_code, code.co_consts, code.co_names)).encode())
    for constant, value in sorted(_constants(loop, as_arrays=False).items()):
        if constant.isupper():
            digest.update(repr((constant, value)).encode())
    return digest.hexdigest()
