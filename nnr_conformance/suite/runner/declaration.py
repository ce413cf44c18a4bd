"""An implementation from its declaration: a YAML file, a command template, or the name of an adapter.

The file (schema: `spec/schemas/implementation.schema.json`) has the fields of `Implementation`, `bounds` as a mapping,
and may have `version_command` instead of `version`: its first line of output is the version::

    name: mydec
    version_command: mydec --version
    decoder: mydec {stream} [--base {base}] -o {tensors}
    rejection_codes: [1]
    unsupported_codes: [3]
    editions: [1]
    tools: [uniform, dependent quantization, codebook]
    bounds: {seconds: 20}
"""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import yaml

from nnr_conformance.errors import UsageError
from nnr_conformance.readings import Readings
from nnr_conformance.suite.runner.cases import known_tools
from nnr_conformance.suite.runner.endings import one_line
from nnr_conformance.suite.runner.implementation import DECODER_PLACES, ENCODER_PLACES, Bounds, Implementation
from nnr_conformance.suite.runner.loading import load_adapter
from nnr_conformance.suite.runner.outputs import SUFFIXES
from nnr_conformance.suite.runner.templates import check_places

Role = Literal["decoder", "encoder"]
"""What a command template is."""

_VERSION_SECONDS = 60.0


def from_file(path: Path) -> Implementation:
    """The implementation that a YAML file declares. Raises UsageError for what it cannot be."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error).splitlines()[0]
        raise UsageError(f"cannot read {path}: {reason}") from error
    try:
        return from_content(content)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error


def from_content(content: Any) -> Implementation:
    """The implementation of a mapping as the file has it. Raises UsageError."""
    if not isinstance(content, dict):
        raise UsageError("a declaration is a mapping with name, version, and decoder, encoder or adapter")
    fields = dict(content)
    for name, value in fields.items():
        if name not in _FIELDS:
            raise UsageError(f"a declaration has no {name!r}; known are {', '.join(sorted(_FIELDS))}")
        what, fits = _FIELDS[name]
        if not fits(value):
            raise UsageError(f"{name} is {what}, not {value!r}")
    if "adapter" in fields:
        if "version_command" in fields:
            raise UsageError("an adapter says its version itself")
    elif ("version" in fields) == ("version_command" in fields):
        raise UsageError("a declaration has either a version or a version_command")
    if "version_command" in fields:
        fields["version"] = _version(fields.pop("version_command"), fields.get("environment", {}))
    return checked(_made(fields))


def from_command(template: str, role: Role = "decoder") -> Implementation:
    """An implementation of a command template alone, named as the program. Raises UsageError."""
    made = Implementation(_program(template), "unknown")
    return checked(replace(made, decoder=template) if role == "decoder" else replace(made, encoder=template))


def from_adapter(adapter: str) -> Implementation:
    """The implementation that an adapter says it is, which is imported for that. Raises UsageError."""
    made = load_adapter(adapter)
    return checked(Implementation(made.name, made.version, adapter=adapter))


def checked(implementation: Implementation) -> Implementation:
    """An implementation that makes sense. Raises UsageError for one that does not."""
    commands = bool(implementation.decoder or implementation.encoder)
    if commands == bool(implementation.adapter):
        raise UsageError("an implementation is either an adapter, or has a decoder or encoder command")
    if implementation.decoder:
        check_places(implementation.decoder, DECODER_PLACES, ("stream", "streams"))
    if implementation.encoder:
        check_places(implementation.encoder, ENCODER_PLACES, ("stream",))
        check_places(implementation.encoder, ENCODER_PLACES, ("tensors",))
    if implementation.tools is not None:
        unknown = sorted(implementation.tools - known_tools())
        if unknown:
            raise UsageError(f"no tool {unknown[0]!r}; known are {', '.join(sorted(known_tools()))}")
    shared = set(implementation.rejection_codes) & set(implementation.unsupported_codes)
    if shared:
        raise UsageError(f"exit code {min(shared)} cannot mean both rejected and not supported")
    Readings.choose(implementation.readings)
    return implementation


def bounded(implementation: Implementation, seconds: float | None, memory: int | None) -> Implementation:
    """The same with other bounds where they are given. Raises UsageError."""
    bounds = implementation.bounds
    bounds = replace(bounds, seconds=bounds.seconds if seconds is None else seconds)
    bounds = replace(bounds, memory=bounds.memory if memory is None else memory)
    if not (bounds.seconds > 0 and bounds.memory > 0):
        raise UsageError("bounds are above 0")
    return replace(implementation, bounds=bounds)


def _made(fields: dict[str, Any]) -> Implementation:
    for name in ("rejection_codes", "unsupported_codes", "rejections", "editions"):
        if name in fields:
            fields[name] = tuple(fields[name])
    if "tools" in fields:
        fields["tools"] = frozenset(fields["tools"])
    if "bounds" in fields:
        fields["bounds"] = Bounds(**fields["bounds"])
    if fields.get("adapter"):
        found = load_adapter(fields["adapter"])
        fields = {"name": found.name, "version": found.version} | fields
    if "name" not in fields:
        raise UsageError("a declaration has a name")
    return Implementation(**fields)


def _version(command: str, environment: Mapping[str, str]) -> str:
    try:
        words = shlex.split(command)
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_VERSION_SECONDS,
            check=False,
            env={**os.environ, **environment},
        )
    except (OSError, ValueError, IndexError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"the version_command {command!r} cannot be run: {error}") from error
    version = one_line((done.stdout or done.stderr).decode("utf-8", "replace"))
    if done.returncode != 0 or not version:
        raise UsageError(f"the version_command {command!r} gave no version: exit code {done.returncode} {version}")
    return version


def _program(template: str) -> str:
    try:
        return Path(shlex.split(template)[0]).name
    except (ValueError, IndexError) as error:
        raise UsageError(f"the command {template!r} cannot be split into words") from error


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_list(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(map(fits, value)) and len({*value}) == len(value)


def _is_code(value: Any) -> bool:
    return type(value) is int and 1 <= value <= 255


def _is_mapping(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(one, str) for pair in value.items() for one in pair)


def _is_bounds(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and set(value) <= {"seconds", "memory", "output"}
        and all(type(value[name]) is int and value[name] > 0 for name in set(value) - {"seconds"})
        and type(value.get("seconds", 1)) in {int, float}
        and 0 < value.get("seconds", 1) < float("inf")
    )


_TEXT = ("a text", _is_text)
_CODES = ("a list of exit codes from 1 to 255", _is_list(_is_code))
_TEXTS = ("a list of different texts", _is_list(_is_text))
_MAPPING = ("a mapping of texts to texts", _is_mapping)
_FIELDS: Mapping[str, tuple[str, Callable[[Any], bool]]] = MappingProxyType(
    {
        **dict.fromkeys(("name", "version", "version_command", "decoder", "encoder", "adapter"), _TEXT),
        "suffix": (" or ".join(SUFFIXES), lambda value: value in SUFFIXES),
        "rejection_codes": _CODES,
        "unsupported_codes": _CODES,
        "rejections": _TEXTS,
        "editions": ("a list of 1, 2 or both", _is_list(lambda value: type(value) is int and value in (1, 2))),
        "tools": _TEXTS,
        "readings": _MAPPING,
        "environment": _MAPPING,
        "bounds": ("seconds, and memory and output in bytes, above 0", _is_bounds),
    }
)
