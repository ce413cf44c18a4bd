"""Docstrings and signatures of the package, and what is public in it: read without Sphinx."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from types import ModuleType
from typing import Any

import nnr_conformance

USERS = (
    "nnr_conformance",
    "nnr_conformance.adapters",
    "nnr_conformance.pytest_plugin",
    "nnr_conformance.readings",
    "nnr_conformance.limits",
    "nnr_conformance.diagnostics",
    "nnr_conformance.errors",
    "nnr_conformance.tensor_files",
    "nnr_conformance.report.model",
    "nnr_conformance.encoder.recipe",
    "nnr_conformance.encoder.model_encoder",
)
"""Modules that callers of the package import, which have a section of their own."""


LONGEST_SIGNATURE = 80
"""Characters of a signature above which each parameter has a line of its own."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """A public function or class: where it is defined, and what it is."""

    module: str
    name: str
    what: Any

    @property
    def path(self) -> str:
        """Module and name."""
        return f"{self.module}.{self.name}"

    @property
    def summary(self) -> str:
        """The first sentence of the docstring."""
        return paragraphs(self.what)[0] if paragraphs(self.what) else ""


def module_names() -> list[str]:
    """All modules of the package, in the order of their names."""
    found = pkgutil.walk_packages(nnr_conformance.__path__, "nnr_conformance.")
    return ["nnr_conformance", *sorted(one.name for one in found if _public(one.name))]


def _public(name: str) -> bool:
    return not any(part.startswith("_") for part in name.split("."))


def module(name: str) -> ModuleType:
    """A module by its name."""
    return importlib.import_module(name)


def public_symbols(name: str) -> list[Symbol]:
    """Public functions and classes of a module, in the order of the source; of the package those that it exports."""
    home = module(name)
    exported = getattr(home, "__all__", None)
    names = exported if exported is not None else [one for one in vars(home) if not one.startswith("_")]
    found = [Symbol(name, one, getattr(home, one)) for one in names]
    kept = [one for one in found if callable(one.what) and (exported is not None or _defined_in(one.what, name))]
    return [one for one in kept if inspect.isclass(one.what) or _is_function(one.what)]


def _is_function(what: Any) -> bool:
    return inspect.isfunction(inspect.unwrap(what)) if hasattr(what, "__wrapped__") else inspect.isroutine(what)


def _defined_in(what: Any, name: str) -> bool:
    return getattr(what, "__module__", None) == name


def members(what: type) -> Iterator[tuple[str, Any]]:
    """Public methods and properties that a class defines itself."""
    for name, member in vars(what).items():
        function = getattr(member, "__func__", None) or getattr(member, "fget", None) or member
        if not name.startswith("_") and inspect.isfunction(function) and inspect.getdoc(function):
            yield name, member


def fields_of(what: Any) -> list[tuple[str, str, str]]:
    """Fields of a dataclass with type and default, or members of an enumeration with their values."""
    if inspect.isclass(what) and issubclass(what, Enum):
        return [(one.name, "", repr(one.value)) for one in what]
    if not dataclasses.is_dataclass(what):
        return []
    return [
        (one.name, str(one.type), _default(one)) for one in dataclasses.fields(what) if not one.name.startswith("_")
    ]


def _default(field: Any) -> str:
    if field.default is not dataclasses.MISSING:
        return _shown(field.default)
    return (
        "" if field.default_factory is dataclasses.MISSING else f"{getattr(field.default_factory, '__name__', '...')}()"
    )


def _shown(value: Any) -> str:
    text = repr(value)
    # Addresses of objects differ from run to run.
    return text if len(text) < 40 and " at 0x" not in text else "..."


def signature(what: Any) -> str:
    """Parameters and result as they are written, long defaults left out."""
    function = getattr(what, "__func__", None) or getattr(what, "fget", None) or what
    if isinstance(what, property):
        return ""
    try:
        found = inspect.signature(function)
    except (TypeError, ValueError):
        return "(...)"
    shown = [
        one if one.default is inspect.Parameter.empty else one.replace(default=_Default(_shown(one.default)))
        for one in found.parameters.values()
    ]
    text = str(found.replace(parameters=shown)).replace("'", "")
    if len(text) <= LONGEST_SIGNATURE:
        return text
    lines = [f"    {one},\n" for one in _listed(shown)]
    result = text[text.rindex(") ->") :] if ") ->" in text else ")"
    return "(\n" + "".join(lines).replace("'", "") + result


def _listed(parameters: list[inspect.Parameter]) -> Iterator[str]:
    """Parameters as they stand in a signature, with the mark before those that have to be named."""
    starred = False
    for one in parameters:
        starred = starred or one.kind is inspect.Parameter.VAR_POSITIONAL
        if one.kind is inspect.Parameter.KEYWORD_ONLY and not starred:
            starred = True
            yield "*"
        yield str(one)


class _Default:
    """A default value that is printed as its text."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


def paragraphs(what: Any) -> list[str]:
    """The paragraphs of a docstring; blocks keep their lines, text is one line each."""
    if dataclasses.is_dataclass(what) and (what.__doc__ or "").startswith(f"{getattr(what, '__name__', '')}("):
        return []
    text = (inspect.getdoc(what) or "").replace("``", "`")
    found = []
    for block in re.split(r"\n\s*\n", text):
        indented = all(line.startswith("    ") for line in block.splitlines() if line)
        listed = any(line.startswith("* ") for line in block.splitlines())
        found.append(block if indented or listed else " ".join(block.split()))
    return [one for one in found if one]
