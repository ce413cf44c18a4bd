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
from enum import Enum
from functools import cache
from threading import RLock
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from nnr_conformance.entropy import binarization, contexts, engine, pair_loop, payload_loop, retrace, row_skip, rows
from nnr_conformance.entropy.zero_runs import with_zero_runs
from nnr_conformance.errors import UsageError

Bound = Callable[..., Any]

COMPILED_FROM = 600_000
"""Payload bits from which loading compiled code pays for itself. Interpreted, 1.2 Mbit of payload take a second;
loading takes 0.3 s from numba's cache and 2 s without it."""
COMPILED_FROM_WHEN_LOADED = 2_000
"""The same once the compiled code is loaded in this process: what moving the arguments costs."""

_LOADING = RLock()
"""Held while something is compiled or loaded, so that threads that need the same wait for one of them."""

Sources = tuple[tuple[ModuleType, str], ...]
_INLINED: Sources = (
    (engine, "refill"),
    (engine, "decode_bin"),
    (engine, "decode_zeros"),
    (engine, "decode_bin_branchless"),
    (engine, "decode_bypass"),
    (binarization, "decode_magnitude"),
)
_SEGMENT: Sources = ((rows, "decode_segment"),)
_CALLED: Sources = ((rows, "skip_segment"), (rows, "start_block_row"))
_DECODE_ROWS: Sources = ((rows, "decode_rows"),)
_DECODE_ROW_SKIP: Sources = ((row_skip, "decode_row_skip"),)
_DECODE_INIT_IDS: Sources = ((contexts, "decode_init_ids"),)
_RETRACE: Sources = ((retrace, "retrace"),)
_STEP: Sources = ((pair_loop, "step"), (pair_loop, "note_overrun"))
_DECODE_PAYLOADS: Sources = ((payload_loop, "decode_one"), (payload_loop, "decode_payloads"))
_DECODE_PAIR: Sources = ((pair_loop, "finish_level"), (pair_loop, "finish_tensor"), (pair_loop, "decode_pair"))
_ALL = (
    _INLINED
    + _SEGMENT
    + _CALLED
    + _DECODE_ROWS
    + _DECODE_ROW_SKIP
    + _DECODE_INIT_IDS
    + _DECODE_PAYLOADS
    + _RETRACE
    + _STEP
    + _DECODE_PAIR
)


class Execution(Enum):
    """How the weight loops run."""

    INTERPRETED = "interpreted"
    COMPILED = "compiled"


def compiled_available() -> bool:
    """Whether the weight loops can be compiled: numba is installed and the environment does not say NNR_PURE=1."""
    return not _pure() and _numba_installed()


def choose_execution(work_bits: int, all_tools: bool = False) -> tuple[Execution, str]:
    """The faster execution for a job of `work_bits` payload bits, and advice (empty: none) on getting a faster one.

    `all_tools`: the job has tensors with a codebook, a base or a history, which have compiled code of their own.
    """
    loaded = (_compiled_tools if all_tools else _compiled_payloads).cache_info().currsize
    if _pure() or work_bits < (COMPILED_FROM_WHEN_LOADED if loaded else COMPILED_FROM):
        return Execution.INTERPRETED, ""
    if _numba_installed():
        return Execution.COMPILED, ""
    return Execution.INTERPRETED, "numba is not installed; with it (nnr-conformance[fast]) this decodes 80 times faster"


def bound_decode_rows(*, all_tools: bool, compiled: bool) -> Bound:
    """`rows.decode_rows` of one life; `all_tools`: for tensors with codebook, base or history.

    Raises UsageError for compiled code where `compiled_available` is False.
    """
    if not compiled:
        return _interpreted(all_tools)
    _require_compiled()
    with _LOADING:
        return _compiled_tools() if all_tools else _compiled_plain()


def load_compiled(everything: bool = False) -> None:
    """Compile what plain tensors take, or load it from the cache; `everything`: what any tensor may take.

    Raises UsageError as `bound_decode_rows` does.
    """
    bound_decode_payloads()
    if everything:
        for all_tools in (False, True):
            bound_decode_rows(all_tools=all_tools, compiled=True)
        bound_decode_init_ids(compiled=True)
        bound_decode_row_skip(compiled=True)


def bound_decode_payloads() -> Bound:
    """`payload_loop.decode_payloads`, which has a compiled life only; raises UsageError as `bound_decode_rows` does."""
    _require_compiled()
    with _LOADING:
        return _compiled_payloads()


def bound_decode_pair() -> Bound:
    """`pair_loop.decode_pair`, which has a compiled life only; raises UsageError as `bound_decode_rows` does."""
    _require_compiled()
    with _LOADING:
        return _compiled_pair()


def pair_is_loaded() -> bool:
    """Whether `bound_decode_pair` was asked for in this process."""
    return _compiled_pair.cache_info().currsize > 0


def bound_decode_row_skip(*, compiled: bool) -> Bound:
    """`row_skip.decode_row_skip` of one life; raises UsageError as `bound_decode_rows` does."""
    if not compiled:
        return row_skip.decode_row_skip
    _require_compiled()
    with _LOADING:
        return _compiled_row_skip()


def bound_decode_init_ids(*, compiled: bool) -> Bound:
    """`contexts.decode_init_ids` of one life; raises UsageError as `bound_decode_rows` does."""
    if not compiled:
        return contexts.decode_init_ids
    _require_compiled()
    with _LOADING:
        return _compiled_init_ids()


def bound_retrace(*, compiled: bool) -> Bound:
    """`retrace.retrace` of one life; raises UsageError as `bound_decode_rows` does."""
    if not compiled:
        return retrace.retrace
    _require_compiled()
    with _LOADING:
        return _compiled_retrace()


def compile_decode_rows(*, all_tools: bool, cached: bool) -> Bound:
    """Compile `rows.decode_rows` with all that it calls; `cached`: through numba's cache on disk."""
    import numba  # noqa: PLC0415 -- importing it costs 0.2 s that an interpreted run must not pay

    types = numba.types
    flags, levels, cells, counters = types.uint8[::1], types.int32[::1], types.int64[::1], types.uint16[::1]
    signature = types.void(
        _payload_type(), cells, counters, counters, counters, counters, cells, flags, levels, flags, levels, cells
    )
    namespace = dict(_helpers(all_tools, cached))
    suffix = _suffix(all_tools)
    _compile(_CALLED, namespace, suffix, cached)
    return _compile(_DECODE_ROWS, namespace, suffix, cached, signature)


def compile_decode_payloads(*, cached: bool) -> Bound:
    """Compile `payload_loop.decode_payloads`; `cached` as in compile_decode_rows."""
    from numba import types  # noqa: PLC0415 -- as in compile_decode_rows

    flags, levels, cells, counters = types.uint8[::1], types.int32[::1], types.int64[::1], types.uint16[::1]
    signature = types.void(
        _payload_type(), cells, cells, cells, cells, cells, counters, counters, levels, flags, levels
    )
    namespace = dict(_helpers(False, cached))
    _compile(_DECODE_INIT_IDS + _DECODE_PAYLOADS[:-1], namespace, _digest(), cached)
    return _compile(_DECODE_PAYLOADS[-1:], namespace, _digest(), cached, signature)


def compile_decode_pair(*, cached: bool) -> Bound:
    """Compile `pair_loop.decode_pair`; `cached` as in compile_decode_rows."""
    import numba  # noqa: PLC0415 -- as in compile_decode_rows

    types = numba.types
    constant, counters = types.Array(types.int64, 1, "C"), types.uint16[::1]
    cells, levels = types.int64[::1], types.int32[::1]
    tensor = (_payload_type(), cells, counters, counters, cells, levels)
    namespace = dict(_helpers(False, cached))
    _compile(_STEP, namespace, _digest(), cached, forceinline=True)
    signature = types.void(constant, counters, counters, levels, types.uint8[::1], *tensor, *tensor)
    _compile(_DECODE_PAIR[:-1], namespace, _digest(), cached)
    return _compile(_DECODE_PAIR[-1:], namespace, _digest(), cached, signature)


def _payload_type() -> Any:
    from numba import types  # noqa: PLC0415 -- as in compile_decode_rows

    return types.Array(types.uint8, 1, "C", readonly=True)


def _suffix(all_tools: bool) -> str:
    # numba's cache knows a function by its name and its own bytecode only, not by what is inlined into it.
    return f"{'tools' if all_tools else 'plain'}_{_digest()}"


@cache
def _helpers(all_tools: bool, cached: bool) -> dict[str, Any]:
    """What every compiled loop sees: the constants, and the functions that decode a bin, a level and a segment."""
    namespace = _as_arrays(_constants(all_tools))
    _compile(_INLINED, namespace, _suffix(all_tools), cached, forceinline=True)
    namespace["decode_sign"] = namespace["decode_bin_branchless"]
    _compile(_SEGMENT, namespace, _suffix(all_tools), cached)
    return namespace


def _pure() -> bool:
    return os.environ.get("NNR_PURE", "") == "1"


@cache
def _numba_installed() -> bool:
    return importlib.util.find_spec("numba") is not None


def _require_compiled() -> None:
    if not compiled_available():
        raise UsageError("compiled decoding needs numba (nnr-conformance[fast]) and no NNR_PURE=1 in the environment")


@cache
def _interpreted(all_tools: bool) -> Bound:
    namespace = _constants(all_tools)
    for module, name in _INLINED + _SEGMENT + _CALLED + _DECODE_ROWS:
        namespace[name] = _twin(getattr(module, name).__code__, namespace, name)
    namespace["decode_sign"] = namespace["decode_bin"]
    bound: Bound = namespace["decode_rows"]
    return bound


@cache
def _compiled_plain() -> Bound:
    return _with_or_without_cache(lambda cached: compile_decode_rows(all_tools=False, cached=cached))


@cache
def _compiled_tools() -> Bound:
    return _with_or_without_cache(lambda cached: compile_decode_rows(all_tools=True, cached=cached))


@cache
def _compiled_payloads() -> Bound:
    return _with_or_without_cache(lambda cached: compile_decode_payloads(cached=cached))


@cache
def _compiled_pair() -> Bound:
    return _with_or_without_cache(lambda cached: compile_decode_pair(cached=cached))


@cache
def _compiled_row_skip() -> Bound:
    return _compiled_header(_DECODE_ROW_SKIP, lambda types: types.void, lambda types: (types.int64, types.uint8[::1]))


@cache
def _compiled_init_ids() -> Bound:
    def more(types: Any) -> tuple[Any, ...]:
        return types.int64[::1], types.int64, types.int64, types.int64, types.int64[::1]

    return _compiled_header(_DECODE_INIT_IDS, lambda types: types.int64, more)


def _compiled_header(source: Sources, gives: Callable[[Any], Any], more: Callable[[Any], tuple[Any, ...]]) -> Bound:
    """A loop of the header of a tensor; `gives`: what type it returns, `more`: of its arguments behind the contexts."""
    from numba import types  # noqa: PLC0415 -- as in compile_decode_rows

    counters = types.uint16[::1]
    signature = gives(types)(_payload_type(), types.int64[::1], counters, counters, *more(types))

    def build(cached: bool) -> Bound:
        namespace = dict(_helpers(False, cached))
        # What compiled loops call has no entrance for Python, this has; so it has a name of its own.
        return _compile(source, namespace, f"header_{_digest()}", cached, signature)

    return _with_or_without_cache(build)


@cache
def _compiled_retrace() -> Bound:
    from numba import types  # noqa: PLC0415 -- as in compile_decode_rows

    spans, levels = types.int64[::1], types.int32[::1]
    signature = types.int64(levels, spans, spans, types.uint8[::1], types.int64, types.int64, types.int8[::1], levels)
    namespace = _as_arrays(_constants(False))
    return _with_or_without_cache(lambda cached: _compile(_RETRACE, namespace, _digest(), cached, signature))


def _with_or_without_cache(build: Callable[[bool], Bound]) -> Bound:
    # RuntimeError: no folder for the cache can be written; OSError: it could be, until the disk was full.
    try:
        return build(True)
    except (OSError, RuntimeError):
        return build(False)


def _compile(
    sources: Sources, namespace: dict[str, Any], suffix: str, cached: bool, signature: Any = None, **more: Any
) -> Bound:
    from numba import njit  # noqa: PLC0415 -- as in compile_decode_rows

    compiler: Any = njit

    # Nobody but compiled code calls what has no signature, so that it needs no entrance for Python.
    wrappers = {"no_cpython_wrapper": signature is None, "no_cfunc_wrapper": True}
    for module, name in sources:
        twin = _twin(_compiled_code(module, name), namespace, f"{name}_{suffix}")
        # Without _nrt=False numba counts references to every array at every call of a helper: 2.5 times slower.
        options = {"nogil": True, "error_model": "numpy", "_nrt": False, "cache": cached} | wrappers | more
        namespace[name] = compiler(*(() if signature is None else (signature,)), **options)(twin)
    bound: Bound = namespace[sources[-1][1]]
    return bound


def _constants(all_tools: bool) -> dict[str, Any]:
    namespace: dict[str, Any] = {"__name__": rows.__name__, "__builtins__": builtins}
    for module in (engine, binarization, contexts, row_skip, retrace, pair_loop, payload_loop, rows):
        namespace |= {name: value for name, value in vars(module).items() if name.isupper()}
    namespace["ALL_TOOLS"] = all_tools
    return namespace


def _as_arrays(namespace: dict[str, Any]) -> dict[str, Any]:
    """The namespace with its tables as arrays, which is what compiled code can look up."""
    return {
        name: np.array(value, np.min_scalar_type(max(value))) if isinstance(value, tuple) else value
        for name, value in namespace.items()
    }


def _compiled_code(module: ModuleType, name: str) -> CodeType:
    function = getattr(module, name)
    code: CodeType = with_zero_runs(function) if (module, name) in _SEGMENT else function.__code__
    return code


def _twin(code: CodeType, namespace: dict[str, Any], name: str) -> FunctionType:
    twin = FunctionType(code, namespace, name)
    twin.__qualname__ = name
    twin.__module__ = rows.__name__
    return twin


@cache
def _digest() -> str:
    digest = hashlib.sha256()
    for module, name in _ALL:
        code = _compiled_code(module, name)
        digest.update(repr((code.co_code, code.co_consts, code.co_names)).encode())
    for name, value in sorted(_constants(False).items()):
        if name.isupper():
            digest.update(repr((name, value)).encode())
    return digest.hexdigest()[:12]
