"""Options that say which implementation is run, shared by the commands that run one."""

from __future__ import annotations

import argparse
from pathlib import Path

from nnr_conformance.errors import UsageError
from nnr_conformance.suite.runner.declaration import Role, bounded, from_adapter, from_command, from_file
from nnr_conformance.suite.runner.implementation import Implementation

IMPLEMENTATION_HELP = """\
TEMPLATE is a command; in it stand {stream} or, for chains, {streams}, and {tensors}, where the decoder writes a .npz
file, and as far as it takes them {base}, {settings}, {levels}, {dequantized}, {trace}. Exit code 0 means decoded, 1
rejected, others are crashes; a declaration can say otherwise.
"""


def add_implementation(options: argparse.ArgumentParser, role: Role = "decoder", bounds: str = "") -> None:
    """Add them; `role`: what the implementation is to be; `bounds`: what the names of a case's bounds begin with."""
    one = options.add_mutually_exclusive_group()
    one.add_argument(f"--{role}", dest="template", metavar="TEMPLATE", help="a command")
    one.add_argument("--adapter", metavar="NAME", help="an entry point in nnr_conformance.adapters, or module:name")
    one.add_argument("--implementation", type=Path, metavar="FILE", help="a declaration in YAML")
    seconds, memory = f"--{bounds}seconds", f"--{bounds}memory"
    options.add_argument(
        seconds, dest="case_seconds", type=float, metavar="S", help="wall-clock time of a case (default: 60)"
    )
    options.add_argument(
        memory, dest="case_memory", type=int, metavar="MIB", help="address space of a case (default: 4096)"
    )


def names_implementation(arguments: argparse.Namespace) -> bool:
    """Whether the options name one."""
    return any(one is not None for one in (arguments.template, arguments.adapter, arguments.implementation))


def implementation_of(
    arguments: argparse.Namespace, otherwise: Implementation | None = None, role: Role = "decoder"
) -> Implementation:
    """The implementation that the options name, or `otherwise`. Raises UsageError."""
    if arguments.template is not None:
        found = from_command(arguments.template, role)
    elif arguments.adapter is not None:
        found = from_adapter(arguments.adapter)
    elif arguments.implementation is not None:
        found = from_file(arguments.implementation)
    elif otherwise is not None:
        found = otherwise
    else:
        raise UsageError(f"say what to run: --{role} TEMPLATE, --adapter NAME or --implementation FILE")
    if role == "encoder" and not (found.encoder or found.adapter):
        raise UsageError(f"{found.name} has no encoder")
    return bounded(
        found, arguments.case_seconds, None if arguments.case_memory is None else arguments.case_memory << 20
    )
