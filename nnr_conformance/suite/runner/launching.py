"""A command as a process of its own, without a shell, within bounds."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from nnr_conformance.errors import UsageError
from nnr_conformance.suite.runner.bounding import bound_process
from nnr_conformance.suite.runner.implementation import Bounds
from nnr_conformance.suite.runner.watching import KEPT, Ended, watched


def launched(words: Sequence[str], bounds: Bounds, environment: Mapping[str, str], folder: Path) -> Ended:
    """Run a command to its end, in the current folder, with `folder` for its temporary files.

    It leads a session and process group of its own, which is killed as a whole. Where the system can limit another
    process (Linux) its memory and the size of files that it writes are bounded, and it leaves no core. Raises
    UsageError when there is no such command.
    """
    everything = {**os.environ, "TMPDIR": str(folder), "TEMP": str(folder), **environment}
    if os.name == "nt":
        return _launched_plainly(words, bounds, everything, folder)
    begun = _begun(words, everything, new_session=True)
    assert begun.stdout is not None
    assert begun.stderr is not None
    bound_process(begun.pid, bounds)
    ended = watched(begun.pid, os.dup(begun.stdout.fileno()), os.dup(begun.stderr.fileno()), bounds.seconds)
    # It has been waited for; whoever waits again could meet another process of that number.
    begun.returncode = ended.status
    begun.stdout.close()
    begun.stderr.close()
    return ended


def _begun(words: Sequence[str], environment: Mapping[str, str], new_session: bool = False) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            bufsize=0,
            start_new_session=new_session,
        )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"cannot run {words[0]}: {reason}") from error


def _launched_plainly(words: Sequence[str], bounds: Bounds, environment: Mapping[str, str], folder: Path) -> Ended:
    """The same with what every system has: time is bounded, memory and grandchildren are not."""
    begin = time.monotonic()
    timed_out = False
    with _begun(words, environment) as process:
        try:
            said, complained = process.communicate(timeout=bounds.seconds)
        except subprocess.TimeoutExpired:
            timed_out = True
            process.kill()
            said, complained = process.communicate()
        except BaseException:
            process.kill()
            raise
    return Ended(process.returncode, time.monotonic() - begin, 0, _ends(said), _ends(complained), timed_out)


def _ends(words: bytes) -> bytes:
    return words if len(words) <= 2 * KEPT else words[:KEPT] + words[-KEPT:]
