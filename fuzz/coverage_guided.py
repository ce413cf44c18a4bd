"""What the harnesses for atheris share. atheris finds inputs by watching which branches they take; it is optional."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

MISSING = """\
{program} needs atheris, which is not installed: pip install atheris
Without it, python -m fuzz.mutate fuzzes with nothing but this package."""


def start(module: str, load: Callable[[], Callable[[bytes], None]]) -> int:
    """Run a harness until it finds a crash or libFuzzer's options end it; returns 2 when atheris is missing.

    `module`: the harness, such as ``fuzz.harness_syntax``. `load`: imports what is fuzzed, while atheris instruments
    it, and gives the function that takes the bytes. Folders among the arguments are corpora, as libFuzzer takes them.
    """
    try:
        atheris: Any = import_module("atheris")
    except ImportError:
        print(MISSING.format(program=f"python -m {module}"), file=sys.stderr)
        return 2
    with atheris.instrument_imports(include=["nnr_conformance"]):
        one_input = load()
    atheris.Setup([module, *sys.argv[1:]], one_input)
    atheris.Fuzz()
    return 0
