"""One source, two lives: the loops of this package as interpreted Python and compiled by numba.

A binding takes the code objects of the loop functions and gives them other globals: tables as unsigned arrays, the
functions that they call in compiled form, and the constant `ALL_TOOLS`. File names and line numbers stay, so that
tracebacks work. numba is imported only when there is something to compile: what was compiled once is kept as machine
code (`machine_code`).
"""

from __future__ import annotations

import builtins
import hashlib
import importlib.util
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from functools import cache, partial
from pathlib import Path
from threading import RLock
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from nnr_conformance import machine_code
from nnr_conformance.entropy import (
    binarization,
    contexts,
    engine,
    pair_loop,
    payload_loop,
    retrace,
    row_skip,
    rows,
    zero_runs,
)
from nnr_conformance.errors import UsageError

Bound = Callable[..., Any]

COMPILED_FROM = 1_800_000
"""Payload bits from which compiling pays for itself: interpreted, 1.2 Mbit take a second, compiling takes 2."""
COMPILED_FROM_WHEN_KEPT = 100_000
"""The same where the machine code is kept: loading it takes 0.08 s."""
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


@dataclass(frozen=True, slots=True)
class Loop:
    """A loop to compile. `signature`: numba's types as a text; `all_tools`: the constant ALL_TOOLS.

    `inlined`, `called`: what it calls besides the functions that all loops have, compiled into it or by themselves.
    """

    source: tuple[ModuleType, str]
    signature: str
    all_tools: bool = False
    inlined: Sources = ()
    called: Sources = ()


_PAYLOAD, _CELLS, _COUNTERS, _FLAGS, _LEVELS = "u1[::1]", "i8[::1]", "u2[::1]", "u1[::1]", "i4[::1]"
_STATE = f"{_PAYLOAD},{_CELLS},{_COUNTERS},{_COUNTERS}"
_ROWS = f"void({_STATE},{_COUNTERS},{_COUNTERS},{_CELLS},{_FLAGS},{_LEVELS},{_FLAGS},{_LEVELS},{_CELLS})"
_JOBS = f"{_CELLS},{_CELLS},{_CELLS},{_CELLS},{_CELLS},{_COUNTERS},{_COUNTERS},{_LEVELS},{_FLAGS},{_LEVELS}"
_OF_A_PAIR = f"{_STATE},{_CELLS},{_LEVELS}"
_INIT_IDS = f"i8({_STATE},{_CELLS},i8,i8,i8,{_CELLS})"

LOOPS: Mapping[str, Loop] = {
    "decode_rows": Loop(_DECODE_ROWS[0], _ROWS, called=_CALLED),
    "decode_rows_tools": Loop(_DECODE_ROWS[0], _ROWS, all_tools=True, called=_CALLED),
    "decode_payloads": Loop(
        (payload_loop, "decode_payloads"),
        f"void({_PAYLOAD},{_JOBS})",
        called=((contexts, "decode_init_ids"), (payload_loop, "decode_one")),
    ),
    "decode_pair": Loop(
        (pair_loop, "decode_pair"),
        f"void({_CELLS},{_COUNTERS},{_COUNTERS},{_LEVELS},{_FLAGS},{_OF_A_PAIR},{_OF_A_PAIR})",
        inlined=((pair_loop, "step"), (pair_loop, "note_overrun")),
        called=((pair_loop, "finish_level"), (pair_loop, "finish_tensor")),
    ),
    "decode_init_ids": Loop((contexts, "decode_init_ids"), _INIT_IDS),
    "decode_row_skip": Loop((row_skip, "decode_row_skip"), f"void({_STATE},i8,{_FLAGS})"),
    "retrace": Loop((retrace, "retrace"), f"i8({_LEVELS},{_CELLS},{_CELLS},{_FLAGS},i8,i8,i1[::1],{_LEVELS})"),
}
"""The loops that can be compiled."""


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
    if _pure() or work_bits < COMPILED_FROM_WHEN_LOADED:
        return Execution.INTERPRETED, ""
    if not _numba_installed():
        advice = "numba is not installed; with it (nnr-conformance[fast]) this decodes 80 times faster"
        return Execution.INTERPRETED, advice if work_bits >= COMPILED_FROM else ""
    enough = work_bits >= _compiled_from("decode_rows_tools" if all_tools else "decode_payloads", work_bits)
    return Execution.COMPILED if enough else Execution.INTERPRETED, ""


def _compiled_from(name: str, work_bits: int) -> int:
    if is_loaded(name):
        return COMPILED_FROM_WHEN_LOADED
    # Whether it is kept has to be looked up, which work that is too small in any case need not wait for.
    return COMPILED_FROM_WHEN_KEPT if work_bits >= COMPILED_FROM_WHEN_KEPT and is_kept(name) else COMPILED_FROM


def is_loaded(name: str) -> bool:
    """Whether compiled code of a loop was asked for in this process."""
    return _COMPILERS[name].cache_info().currsize > 0


def is_kept(name: str) -> bool:
    """Whether the machine code of a loop was kept on this machine."""
    return machine_code.is_kept(name, _digest())


def bound_decode_rows(*, all_tools: bool, compiled: bool) -> Bound:
    """`rows.decode_rows` of one life; `all_tools`: for tensors with codebook, base or history.

    Raises UsageError for compiled code where `compiled_available` is False.
    """
    if not compiled:
        return _interpreted(all_tools)
    return bound_compiled("decode_rows_tools" if all_tools else "decode_rows")


def bound_decode_row_skip(*, compiled: bool) -> Bound:
    """`row_skip.decode_row_skip` of one life; raises UsageError as `bound_decode_rows` does."""
    return bound_compiled("decode_row_skip") if compiled else row_skip.decode_row_skip


def bound_decode_init_ids(*, compiled: bool) -> Bound:
    """`contexts.decode_init_ids` of one life; raises UsageError as `bound_decode_rows` does."""
    return bound_compiled("decode_init_ids") if compiled else contexts.decode_init_ids


def bound_retrace(*, compiled: bool) -> Bound:
    """`retrace.retrace` of one life; raises UsageError as `bound_decode_rows` does."""
    return bound_compiled("retrace") if compiled else retrace.retrace


def bound_compiled(name: str) -> Bound:
    """A loop of `LOOPS`, compiled; raises UsageError as `bound_decode_rows` does."""
    if not compiled_available():
        raise UsageError("compiled decoding needs numba (nnr-conformance[fast]) and no NNR_PURE=1 in the environment")
    with _LOADING:
        return _COMPILERS[name]()


def load_compiled(everything: bool = False) -> None:
    """Compile what plain tensors take, or load it from the cache; `everything`: what any tensor may take.

    Raises UsageError as `bound_decode_rows` does.
    """
    most = ("decode_payloads",)
    rest = ("decode_rows", "decode_rows_tools", "decode_init_ids", "decode_row_skip")
    for name in most + (rest if everything else ()):
        bound_compiled(name)


def compile_loop(name: str, entrance: bool) -> Any:
    """A loop of `LOOPS` compiled by numba with all that it calls; `entrance`: so that Python can call it."""
    loop = LOOPS[name]
    namespace = dict(_helpers(loop.all_tools))
    _compile(loop.inlined, namespace, forceinline=True)
    _compile(loop.called, namespace)
    return _compile((loop.source,), namespace, loop.signature, entrance)


@cache
def _helpers(all_tools: bool) -> dict[str, Any]:
    """What every compiled loop sees: the constants, and the functions that decode a bin, a level and a segment."""
    namespace = _as_arrays(_constants(all_tools))
    _compile(_INLINED, namespace, forceinline=True)
    namespace["decode_sign"] = namespace["decode_bin_branchless"]
    _compile(_SEGMENT, namespace)
    return namespace


def _pure() -> bool:
    return os.environ.get("NNR_PURE", "") == "1"


@cache
def _numba_installed() -> bool:
    return importlib.util.find_spec("numba") is not None


@cache
def _interpreted(all_tools: bool) -> Bound:
    namespace = _constants(all_tools)
    for module, name in _INLINED + _SEGMENT + _CALLED + _DECODE_ROWS:
        namespace[name] = _twin(getattr(module, name).__code__, namespace, name)
    namespace["decode_sign"] = namespace["decode_bin"]
    bound: Bound = namespace["decode_rows"]
    return bound


def _compiled(name: str) -> Bound:
    return machine_code.bound(name, _digest(), LOOPS[name].signature, partial(compile_loop, name))


_COMPILERS = {name: cache(partial(_compiled, name)) for name in LOOPS}


def _compile(
    sources: Sources,
    namespace: dict[str, Any],
    signature: str | None = None,
    entrance: bool = False,
    forceinline: bool = False,
) -> Any:
    from numba import njit  # noqa: PLC0415 -- importing it costs 0.2 s that an interpreted run must not pay

    compiler: Any = njit
    # Without _nrt=False numba counts references to every array at every call of a helper: 2.5 times slower.
    options = {"nogil": True, "error_model": "numpy", "_nrt": False, "forceinline": forceinline}
    # Nobody but compiled code calls what has no signature, so that it needs no entrance for Python.
    options |= {"no_cpython_wrapper": not entrance, "no_cfunc_wrapper": True}
    function = None
    for module, name in sources:
        twin = _twin(_compiled_code(module, name), namespace, name)
        function = namespace[name] = compiler(*(() if signature is None else (signature,)), **options)(twin)
    return function


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
    code: CodeType = zero_runs.with_zero_runs(function) if (module, name) in _SEGMENT else function.__code__
    return code


def _twin(code: CodeType, namespace: dict[str, Any], name: str) -> FunctionType:
    twin = FunctionType(code, namespace, name)
    twin.__qualname__ = name
    twin.__module__ = rows.__name__
    return twin


@cache
def _digest() -> str:
    """Of everything that decides about the compiled code but the compiler."""
    digest = hashlib.sha256()
    sources = [source for loop in LOOPS.values() for source in (*loop.inlined, *loop.called, loop.source)]
    for module, name in (*_INLINED, *_SEGMENT, *sources):
        code = getattr(module, name).__code__
        digest.update(repr((code.co_code, code.co_consts, code.co_names)).encode())
    for name, value in sorted(_constants(False).items()):
        if name.isupper():
            digest.update(repr((name, value)).encode())
    for written_by in (zero_runs, sys.modules[__name__]):
        # These decide what becomes of the code above.
        with suppress(OSError, TypeError):
            digest.update(Path(str(written_by.__file__)).read_bytes())
    return digest.hexdigest()
