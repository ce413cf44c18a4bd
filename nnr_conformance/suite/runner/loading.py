"""Adapters by their names: entry points of installed distributions, ``module:name``, and those of this package."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Any

from nnr_conformance.adapters import GROUP
from nnr_conformance.errors import UsageError

BUILT_IN = MappingProxyType(
    {
        "nnr-conformance": "nnr_conformance.suite.runner.own:Interpreted",
        "nnr-conformance-compiled": "nnr_conformance.suite.runner.own:Compiled",
        "nnr-check": "nnr_conformance.suite.runner.own:Checker",
        "nnr-encode": "nnr_conformance.suite.certify.own:Encoder",
    }
)
"""The adapters of this package, known also where it is not installed."""


def adapter_names() -> tuple[str, ...]:
    """The names of all adapters that are installed."""
    return tuple(sorted({*BUILT_IN, *(entry.name for entry in entry_points(group=GROUP))}))


def load_adapter(name: str) -> Any:
    """What the adapter of a name makes. Raises UsageError when there is none, or it cannot be imported or made."""
    entry = _entry(name)
    try:
        made = entry.load()()
    except BaseException as error:
        # Whatever importing the code of others raises, sys.exit and interrupts too: the run cannot begin.
        reason = (str(error) or "no reason given").splitlines()[0]
        raise UsageError(f"the adapter {name} cannot be made: {type(error).__name__}: {reason}") from error
    for attribute in ("name", "version"):
        if not isinstance(getattr(made, attribute, None), str):
            raise UsageError(f"the adapter {name} has no {attribute}")
    return made


def _entry(name: str) -> EntryPoint:
    if name in BUILT_IN:
        return EntryPoint(name, BUILT_IN[name], GROUP)
    if ":" in name:
        if not all(part.replace(".", "_").isidentifier() for part in name.partition(":")[::2]):
            raise UsageError(f"an adapter is given as an entry point or as module:name, not {name!r}")
        if "" not in sys.path:
            # A module beside which a command is called is found, as with python -m.
            sys.path.insert(0, "")
        return EntryPoint(name, name, GROUP)
    for entry in entry_points(group=GROUP):
        if entry.name == name:
            return entry
    raise UsageError(f"no adapter {name!r} is installed; there are {', '.join(adapter_names())}, or give module:name")


def exception_class(name: str) -> type[BaseException]:
    """The class of exceptions of a qualified name such as ``builtins.ValueError``. Raises UsageError."""
    module, _, attribute = name.rpartition(".")
    try:
        found = getattr(import_module(module or "builtins"), attribute)
    except Exception as error:
        # Any exception: importing a module of somebody else runs it.
        raise UsageError(f"no exception {name}: {error}") from error
    if not (isinstance(found, type) and issubclass(found, BaseException)):
        raise UsageError(f"{name} is no exception")
    return found
