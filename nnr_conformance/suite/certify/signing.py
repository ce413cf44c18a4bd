"""Signatures of a manifest by sigstore: its command makes and checks them, where it is installed."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from nnr_conformance.errors import UsageError
from nnr_conformance.suite.certify.folder import BUNDLE, MANIFEST
from nnr_conformance.suite.runner.endings import one_line

_SECONDS = 300.0


def sign(folder: Path) -> None:
    """Sign the manifest of a folder; the bundle lies beside it. Raises UsageError without sigstore, or if it fails."""
    code, said = _run(["sign", "--bundle", str(folder / BUNDLE), str(folder / MANIFEST)])
    if code != 0 or not (folder / BUNDLE).is_file():
        raise UsageError(f"sigstore could not sign the manifest: {said or f'exit code {code}'}")


def signature_problem(folder: Path, identity: str, issuer: str) -> str:
    """Why the signature of the manifest is not that of `identity` by `issuer`; empty when it is. Raises UsageError."""
    if not (folder / BUNDLE).is_file():
        return f"{BUNDLE} is missing: the manifest is not signed"
    words = ["--bundle", str(folder / BUNDLE), "--cert-identity", identity, "--cert-oidc-issuer", issuer]
    code, said = _run(["verify", "identity", *words, str(folder / MANIFEST)])
    return "" if code == 0 else f"the signature of {MANIFEST} does not hold: {said or f'exit code {code}'}"


def _run(words: Sequence[str]) -> tuple[int, str]:
    program = shutil.which("sigstore")
    if program is None:
        raise UsageError("signatures need sigstore: pip install nnr-conformance[sigstore]")
    try:
        done = subprocess.run([program, *words], capture_output=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"sigstore cannot be run: {error}") from error
    return done.returncode, one_line((done.stderr or done.stdout).decode("utf-8", "replace"))
