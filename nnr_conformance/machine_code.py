"""Compiled loops as machine code, kept in a folder of the user's and loaded without the compiler that made them.

numba compiles a loop once for a processor. Its own cache still takes importing numba, which is longer than decoding a
model of some megabytes; here the object code is kept, and llvmlite alone loads it. A file belongs to the code of the
loops, the compiler's version and the processor; anything else than a sound file means compiling again.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib.util
import os
import stat
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

Bound = Callable[..., Any]

FOLDER_VARIABLE = "NNR_CACHE_DIR"
STALE_SECONDS = 30 * 24 * 3600
"""Age from which the code of other versions is removed when code of the same name is kept."""
HARMLESS = ("llvm.", "memset", "memcpy", "memmove")
"""What machine code may call that is not in it."""
_TYPES = {
    "u1": (np.uint8, ctypes.c_uint8),
    "u2": (np.uint16, ctypes.c_uint16),
    "i1": (np.int8, ctypes.c_int8),
    "i4": (np.int32, ctypes.c_int32),
    "i8": (np.int64, ctypes.c_int64),
    "f8": (np.float64, ctypes.c_double),
}
_ARRAY = "[::1]"
_ARRAY_CELLS = (ctypes.c_void_p, ctypes.c_void_p, *[ctypes.c_ssize_t] * 2, ctypes.c_void_p, *[ctypes.c_ssize_t] * 2)
"""How numba passes an array of one dimension: owner, parent, elements, bytes of one, address, length, stride."""


class MachineCode:
    """A function in machine code, called with arrays and numbers; other threads run meanwhile.

    `signature`: as numba has it, of C-contiguous arrays of one dimension and of numbers, like ``i8(u1[::1],i8)``.
    Raises TypeError for arguments that are not of these types, ValueError for code that cannot be loaded.
    """

    def __init__(self, code: bytes, symbol: str, signature: str) -> None:
        result, _, arguments = signature.rstrip(")").partition("(")
        names = arguments.split(",")
        self._dtypes = tuple(
            np.dtype(_TYPES[name[: -len(_ARRAY)]][0]) if name.endswith(_ARRAY) else None for name in names
        )
        self._result: Any = None if result == "void" else _TYPES[result][1]
        types: list[Any] = [ctypes.c_void_p, ctypes.c_void_p]
        for name in names:
            types += _ARRAY_CELLS if name.endswith(_ARRAY) else (_TYPES[name][1],)
        self._engine, address = _loaded(code, symbol)
        self._function = ctypes.CFUNCTYPE(ctypes.c_int, *types)(address)

    def __call__(self, *arguments: Any) -> Any:
        """The result, None where there is none."""
        # numba's functions write a result where there is none, too.
        result = (ctypes.c_int64 if self._result is None else self._result)()
        error = ctypes.c_void_p()
        cells: list[Any] = [ctypes.addressof(result), ctypes.addressof(error)]
        for dtype, argument in zip(self._dtypes, arguments, strict=True):
            if dtype is None:
                cells.append(argument)
                continue
            if argument.dtype != dtype or argument.ndim != 1 or not argument.flags.c_contiguous:
                raise TypeError(f"an array of {argument.dtype} where a contiguous vector of {dtype} belongs")
            size = argument.size
            cells += (None, None, size, dtype.itemsize, argument.ctypes.data, size, dtype.itemsize)
        status = self._function(*cells)
        if status:
            raise RuntimeError(f"machine code ended with status {status}")
        return None if self._result is None else result.value


def bound(name: str, digest: str, signature: str, build: Callable[[bool], Any]) -> Bound:
    """A loop from the folder, or compiled and kept there.

    `digest`: of all code that goes into it. `build`: gives numba's compiled function of this signature, with an
    entrance for Python or without. Warns once where compiled code cannot be kept.
    """
    key = _key(name, digest)
    found = _kept(key, signature)
    if found is not None:
        return found
    compiled = build(False)
    (overload,) = compiled.overloads.values()
    module = overload.library._final_module
    missing = [one.name for one in (*module.functions, *module.global_variables) if one.is_declaration]
    if any(not one.startswith(HARMLESS) for one in missing):
        # Whatever this needs, only numba can give it.
        return _writeable(build(True))
    code = overload.library._codegen._tm.emit_object(module)
    symbol = overload.fndesc.llvm_func_name
    _keep(key, symbol, code)
    return MachineCode(code, symbol, signature)


def is_kept(name: str, digest: str) -> bool:
    """Whether there is a file for a loop."""
    try:
        return (folder() / _key(name, digest)).is_file()
    except OSError:
        return False


def folder() -> Path:
    """Where compiled code is kept: what the variable NNR_CACHE_DIR names, else a folder among the user's caches."""
    given = os.environ.get(FOLDER_VARIABLE)
    if given:
        return Path(given)
    if sys.platform == "win32":
        caches = os.environ.get("LOCALAPPDATA") or "~/AppData/Local"
    elif sys.platform == "darwin":
        caches = "~/Library/Caches"
    else:
        caches = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(os.path.expanduser(caches)) / "nnr-conformance"  # noqa: PTH111 - stays as it is where there is no home


def _key(name: str, digest: str) -> str:
    return f"{name}-{hashlib.sha256(f'{digest} {_machine()}'.encode()).hexdigest()[:24]}.code"


@cache
def _machine() -> str:
    """What else decides about machine code: the compiler's version, the processor, the platform."""
    import llvmlite  # noqa: PLC0415 -- only who decodes much has to import it
    from llvmlite import binding as llvm  # noqa: PLC0415

    numba = importlib.util.find_spec("numba")
    places = [] if numba is None else numba.submodule_search_locations or []
    # Reading what is installed from its metadata takes longer than loading the code.
    version = b"".join((Path(place) / "_version.py").read_bytes() for place in places)
    versions = hashlib.sha256(version).hexdigest(), llvmlite.__version__
    processor = llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten(), llvm.get_process_triple()
    return " ".join([*versions, *processor])


def _target() -> Any:
    """A target for one engine, which owns it."""
    from llvmlite import binding as llvm  # noqa: PLC0415 -- as in _machine

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_triple(llvm.get_process_triple())
    return target.create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=3,
        codemodel="jitdefault",
        jit=True,
    )


def _loaded(code: bytes, symbol: str) -> tuple[Any, int]:
    """The engine that holds the code, and the address of the function."""
    from llvmlite import binding as llvm  # noqa: PLC0415 -- as in _machine

    module = llvm.parse_assembly("")
    module.triple = llvm.get_process_triple()
    engine = llvm.create_mcjit_compiler(module, _target())
    try:
        engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    except RuntimeError as error:
        raise ValueError(str(error)) from error
    engine.finalize_object()
    address = engine.get_function_address(symbol)
    if not address:
        raise ValueError(f"no function {symbol}")
    return engine, address


def _kept(key: str, signature: str) -> MachineCode | None:
    """The code of a file that nobody else can have written and that is sound."""
    try:
        place = folder()
        if not _is_private(place):
            return None
        head, _, code = (place / key).read_bytes().partition(b"\n")
        symbol, _, digest = head.decode("ascii").partition(" ")
        if digest != _digest(symbol, code):
            return None
        return MachineCode(code, symbol, signature)
    except (OSError, ValueError):
        return None


def _is_private(place: Path) -> bool:
    """Whether only this user, or the system, can put code there."""
    if not hasattr(os, "getuid"):
        return True
    found = place.stat()
    return found.st_uid in (0, os.getuid()) and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _digest(symbol: str, code: bytes) -> str:
    return hashlib.sha256(symbol.encode() + b"\n" + code).hexdigest()


def _keep(key: str, symbol: str, code: bytes) -> None:
    place = folder()
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _is_private(place):
            raise PermissionError(f"others can write to {place}")
        _remove_stale(place, key)
        handle, temporary = tempfile.mkstemp(dir=place)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(f"{symbol} {_digest(symbol, code)}\n".encode("ascii") + code)
            Path(temporary).replace(place / key)
        except BaseException:
            with suppress(OSError):
                Path(temporary).unlink()
            raise
    except OSError as error:
        _warn_once(f"compiled code cannot be kept in {place} ({error}), so that each process compiles it again; ")


@cache
def _warn_once(reason: str) -> None:
    warnings.warn(f"{reason}{FOLDER_VARIABLE} can name another folder", RuntimeWarning, stacklevel=2)


def _remove_stale(place: Path, key: str) -> None:
    """Remove code of the same name that was kept long ago for other code, compilers or processors."""
    name, _, _ = key.rpartition("-")
    for path in place.glob(f"{name}-*.code"):
        with suppress(OSError):
            if path.name != key and time.time() - path.stat().st_mtime > STALE_SECONDS:
                path.unlink()


def _writeable(compiled: Bound) -> Bound:
    """numba's function, which takes no array that is read-only."""

    def call(*arguments: Any) -> Any:
        return compiled(
            *(np.require(one, requirements="W") if isinstance(one, np.ndarray) else one for one in arguments)
        )

    return call
