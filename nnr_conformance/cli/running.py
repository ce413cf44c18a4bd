"""How a command runs: errors of use in one line, no traceback for bad input, a closed pipe ends quietly."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable

from nnr_conformance.errors import NnrError

USAGE = 2
UNDETERMINED = 3
INTERRUPTED = 130


def run(command: str, body: Callable[[], int]) -> int:
    """Run a command's body; its exit code, or that of the error which ended it."""
    if hasattr(sys.stdout, "reconfigure"):
        # Names in a stream may have letters that the terminal's encoding lacks.
        sys.stdout.reconfigure(errors="backslashreplace")

    def tell(message: Warning | str, *_: object, **__: object) -> None:
        print(f"{command}: {message}", file=sys.stderr)

    try:
        with warnings.catch_warnings():
            warnings.showwarning = tell
            code = body()
        sys.stdout.flush()
        return code
    except NnrError as error:
        print(f"{command}: {error}", file=sys.stderr)
        return USAGE
    except MemoryError:
        print(f"{command}: out of memory; lower the limit tensor_elements", file=sys.stderr)
        return UNDETERMINED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        print_no_more()
        return 0


def print_no_more() -> None:
    """Whoever reads the output has seen enough; nothing, nor the interpreter at its end, is to try to write again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
