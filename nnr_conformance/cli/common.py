"""What all commands share: options, reading of files, and how a command ends.

Exit codes: 0 nothing wrong, 1 nonconforming, 2 wrong usage, 3 undetermined or a limit of this software was hit.
"""

from __future__ import annotations

import argparse
import json
import mmap
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from nnr_conformance.diagnostics import Diagnostic, Effect, Severity
from nnr_conformance.errors import NnrError, UsageError
from nnr_conformance.readings import Readings, known_readings

OK, NONCONFORMING, USAGE, UNDETERMINED = 0, 1, 2, 3
INTERRUPTED, CLOSED_PIPE = 130, 141
"""As shells report a process that SIGINT or SIGPIPE ended."""

MAPPED_FROM = 1 << 20
"""Files of at least this many bytes are mapped into memory instead of read."""

OUT_OF_BAND_NAMES = (
    "tensor_dimensions",
    "compressed_parameter_types",
    "decomposition_rank",
    "g_number_of_rows",
    "cabac_unary_length_minus1",
)
"""What a stream may leave to the application (standard facts, R-NDU-08)."""


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are a UsageError, so that they end as one line and not with the whole usage."""

    def __init__(self, **options: Any) -> None:
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, **options)
        self.add_argument("--version", action=_Version, help="print the version and exit")

    def error(self, message: str) -> NoReturn:
        """Raise UsageError instead of printing and exiting."""
        raise UsageError(f"{message} (see {self.prog} --help)")


class _Version(argparse.Action):
    def __init__(self, option_strings: Sequence[str], dest: str, help: str | None = None) -> None:  # noqa: A002 (argparse names it)
        super().__init__(option_strings, dest=argparse.SUPPRESS, nargs=0, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        # Looked up only when asked for: importlib.metadata takes longer than a small stream.
        from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 (see above)

        try:
            number = version("nnr-conformance")
        except PackageNotFoundError:
            number = "of an uninstalled checkout"
        print(f"{parser.prog} {number}")
        parser.exit()


def run(command: Callable[[Sequence[str]], int], name: str, argv: Sequence[str] | None = None) -> int:
    """The exit code of a command; its UsageError ends as one line, a closed pipe and an interrupt end quietly."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = command(sys.argv[1:] if argv is None else argv)
        sys.stdout.flush()
    except SystemExit as leaving:  # argparse ends --help and --version so
        return leaving.code if isinstance(leaving.code, int) else OK
    except BrokenPipeError:
        # The interpreter flushes once more when it ends; that must not meet the closed pipe again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLOSED_PIPE
    except KeyboardInterrupt:
        return INTERRUPTED
    except (NnrError, MemoryError) as fault:
        print(f"{name}: {fault or 'not enough memory'}", file=sys.stderr)
        return USAGE if isinstance(fault, UsageError) else UNDETERMINED
    return code


def read_file(path: str) -> memoryview:
    """The bytes of a file, mapped when it is large; ``-`` is standard input. Raises UsageError when it cannot be read."""
    try:
        if path == "-":
            return memoryview(sys.stdin.buffer.read())
        with Path(path).open("rb") as file:
            if os.fstat(file.fileno()).st_size < MAPPED_FROM:
                return memoryview(file.read())
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except (OSError, ValueError) as fault:
        reason = fault.strerror if isinstance(fault, OSError) and fault.strerror else str(fault)
        raise UsageError(f"cannot read {path}: {reason}") from fault


def add_streams(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """The positional arguments STREAM..."""
    parser.add_argument(
        "streams", metavar="STREAM", nargs="+" if required else "*", help="a bitstream file; - reads standard input"
    )


def add_readings(parser: argparse.ArgumentParser) -> None:
    """The option --reading; `chosen_readings` evaluates it."""
    parser.add_argument(
        "--reading",
        metavar="ID=NAME",
        action="append",
        default=[],
        help="where the standard can be read in two ways, the reading to follow; may be given several times. "
        f"IDs: {', '.join(known_readings())}",
    )


def chosen_readings(arguments: argparse.Namespace) -> Readings:
    """The readings given with --reading. Raises UsageError for an unknown id or name."""
    return Readings.choose(arguments.reading)


def add_out_of_band(parser: argparse.ArgumentParser) -> None:
    """The option --out-of-band; `read_out_of_band` evaluates it."""
    parser.add_argument(
        "--out-of-band",
        metavar="FILE",
        help='JSON with parameters that the stream leaves out, by tensor: {"conv.weight": {"tensor_dimensions": [8, 3]}}',
    )


def read_out_of_band(path: str | None) -> dict[str, dict[str, Any]]:
    """Out-of-band parameters by tensor id from a JSON file; none without a file. Raises UsageError."""
    if path is None:
        return {}
    try:
        given = json.loads(bytes(read_file(path)))
    except (ValueError, RecursionError) as fault:
        raise UsageError(f"{path} is not JSON: {fault}") from fault
    if not isinstance(given, dict):
        raise UsageError(f"{path}: expected an object with one entry for each tensor")
    for element, parameters in given.items():
        _check_parameters(path, element, parameters)
    return given


def _check_parameters(path: str, element: str, parameters: Any) -> None:
    if not isinstance(parameters, dict):
        raise UsageError(f'{path}: {element!r} must be an object such as {{"tensor_dimensions": [8, 3]}}')
    for name, given in parameters.items():
        if name not in OUT_OF_BAND_NAMES:
            raise UsageError(f"{path}: {element!r} has {name!r}; known: {', '.join(OUT_OF_BAND_NAMES)}")
        numbers = given if name == "tensor_dimensions" else [given]
        if not isinstance(numbers, list) or not all(type(number) is int and number >= 0 for number in numbers):
            raise UsageError(f"{path}: {name} of {element!r} must be {_WANTED.get(name, 'a whole number')}")


_WANTED: Mapping[str, str] = {"tensor_dimensions": "a list of whole numbers"}


def exit_code(diagnostics: Iterable[Diagnostic]) -> int:
    """1 when a stream is wrong, else 3 when this decoder could not tell, else 0."""
    effects = {found.effect for found in diagnostics if found.severity is Severity.ERROR}
    if Effect.NONCONFORMING in effects:
        return NONCONFORMING
    return UNDETERMINED if effects else OK
