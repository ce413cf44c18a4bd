"""What happens in a forked process: the decoder gets a fault, and streams are decoded.

The process that forks has numpy, construct, yaml, the parsed files of `spec/`, and a decoder that was imported and not
used. Where the fault is in a function that did not run on import, the child gives that function other code. Otherwise
it drops the modules of this package and imports them again, one of them (or one table) with its fault. It writes one
JSON line for each step, so that the parent knows where it was when it was ended for taking too long.
"""

from __future__ import annotations

import gc
import importlib.abc
import importlib.machinery
import importlib.util
import inspect
import json
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import CodeType, FunctionType, ModuleType
from typing import Any

from nnr_conformance import data
from nnr_conformance.suite.mutation.cases import Case
from nnr_conformance.suite.mutation.mutants import PACKAGE, Mutant
from nnr_conformance.suite.mutation.outcome import Outcome, difference, outcome
from nnr_conformance.suite.mutation.tables import TABLES, with_fault

KEPT = tuple(f"{PACKAGE}.{name}" for name in ("data", "errors", "limits", "version", "diagnostics"))
"""Modules that import nothing which is mutated, and hold what was read from `spec/`."""

MORE_MEMORY = 2 << 30
"""Bytes that a child may take on top of what its parent has."""

IMPORT_SECONDS = 20.0
"""Processor seconds that importing the decoder may take; it takes a fifth of a second."""

Say = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Trial:
    """One case for a mutant: what the decoder without a fault gives, and the processor seconds that are allowed."""

    case: Case
    expected: Outcome
    seconds: float


def drop_package() -> None:
    """Forget the modules of this package, so that the next import runs them again."""
    for name in [*sys.modules]:
        if name.split(".")[0] == PACKAGE and name not in KEPT:
            del sys.modules[name]


def import_decoder() -> None:
    """Import the decoder and the checker."""
    importlib.import_module(f"{PACKAGE}.checker.check")


@contextmanager
def fresh_decoder() -> Iterator[None]:
    """Inside, the decoder is one that was just imported, so that children find nothing computed before."""
    before = {name: module for name, module in sys.modules.items() if name.split(".")[0] == PACKAGE}
    drop_package()
    try:
        import_decoder()
        gc.collect()
        gc.freeze()
        yield
    finally:
        gc.unfreeze()
        drop_package()
        sys.modules.update(before)


def give_code(mutant: Mutant, source: str) -> bool:
    """Give the mutated function of the imported decoder its code; False where that cannot be done."""
    assert mutant.edit is not None
    name = f"{PACKAGE}.{mutant.module}"
    path, holder = mutant.edit.function.split("."), sys.modules[name]
    function = _function(holder, path)
    if function is None:
        return False
    code = _code(compile(source, function.__code__.co_filename, "exec", dont_inherit=True), function.__code__.co_name)
    matching = [one for one in code if one.co_qualname == function.__code__.co_qualname]
    if len(matching) != 1 or matching[0].co_freevars != function.__code__.co_freevars:
        return False
    function.__code__ = matching[0]
    return True


def _function(holder: object, path: Sequence[str]) -> FunctionType | None:
    """The function of a qualified name, or the outermost one around it, without its decorators."""
    for step in path:
        found = vars(holder).get(step) if isinstance(holder, ModuleType | type) else None
        if isinstance(found, property):
            found = found.fget
        elif isinstance(found, classmethod | staticmethod):
            found = found.__func__
        found = inspect.unwrap(found) if callable(found) and not isinstance(found, type) else found
        if isinstance(found, FunctionType):
            return found
        holder = found
    return None


def _code(code: CodeType, name: str) -> Iterator[CodeType]:
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            if inner.co_name == name:
                yield inner
            yield from _code(inner, name)


def install(mutant: Mutant, source: str) -> None:
    """Make the next import of the decoder give it the fault; `source`: that of the mutated module."""
    if mutant.table is not None:
        _install_tables(mutant)
    else:
        sys.meta_path.insert(0, _MutantFinder(f"{PACKAGE}.{mutant.module}", source))


def try_mutant(mutant: Mutant, source: str, trials: Sequence[Trial], on_import: bool, say: Say) -> None:
    """Decode the cases until one has another outcome, and say which, or that none has.

    `on_import`: whether the fault acts while the decoder is imported, so that it must be imported again.
    """
    # Short-lived; collecting would only copy the memory that is shared with the parent.
    gc.disable()
    limit_memory()
    allow(IMPORT_SECONDS)
    say({"at": None})
    try:
        if on_import or not give_code(mutant, source):
            drop_package()
            install(mutant, source)
            import_decoder()
    except BaseException as fault:
        say({"killed": None, "by": f"{type(fault).__name__} on import"})
        return
    for number, trial in enumerate(trials):
        allow(trial.seconds)
        say({"at": number})
        try:
            stage = difference(trial.expected, outcome(trial.case))
        except BaseException as fault:
            stage = type(fault).__name__
        if stage:
            say({"killed": number, "by": stage})
            return
    say({"survived": True})


def allow(seconds: float) -> None:
    """End this process by a signal after so many more processor seconds."""
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, seconds)


def fork(work: Callable[[Say], None], others: Iterable[int] = ()) -> tuple[int, int]:
    """Run `work` in a new process; returns its id and the end of a pipe from which its JSON lines can be read.

    `others`: ends of pipes of other children, which the new one must not hold open.
    """
    reader, writer = os.pipe()
    process = os.fork()
    if process:
        os.close(writer)
        return process, reader
    status = 1
    try:
        for descriptor in (reader, *others):
            os.close(descriptor)
        _be_quiet()
        work(lambda message: _write(writer, message))
        status = 0
    finally:
        os._exit(status)


def _write(writer: int, message: Mapping[str, Any]) -> None:
    left = json.dumps(message).encode() + b"\n"
    while left:
        left = left[os.write(writer, left) :]


def _be_quiet() -> None:
    """Warnings of a mutant are of no interest."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def limit_memory() -> None:
    """Let this process take `MORE_MEMORY` on top of what it has, and write no core."""
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 -- no file of a user
        pages = int(file.read().split()[0])
    size = pages * resource.getpagesize() + MORE_MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _install_tables(mutant: Mutant) -> None:
    fault = mutant.table
    assert fault is not None
    original = data.load_yaml
    changed = with_fault(original(TABLES), fault)
    data.load_yaml = lambda relative: changed if relative == TABLES else original(relative)  # type: ignore[assignment]  # the patch is the fault


class _MutantFinder(importlib.abc.MetaPathFinder):
    """Finds one module, whose source is not that of its file."""

    def __init__(self, name: str, source: str) -> None:
        self._name = name
        self._source = source

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._name:
            return None
        found = importlib.machinery.PathFinder.find_spec(fullname, path)
        assert found is not None
        assert found.origin is not None
        loader = _MutantLoader(fullname, found.origin, self._source)
        return importlib.util.spec_from_file_location(fullname, found.origin, loader=loader)


class _MutantLoader(importlib.machinery.SourceFileLoader):
    def __init__(self, name: str, path: str, source: str) -> None:
        super().__init__(name, path)
        self._source = source

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._source, self.path, "exec", dont_inherit=True)
