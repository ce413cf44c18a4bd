"""The folder of a certificate: the certificate, its streams, the badge, and a manifest that `sha256sum -c` reads."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from nnr_conformance.errors import UsageError
from nnr_conformance.suite.certify.examination import sha256

CERTIFICATE, REPORT, MANIFEST, BUNDLE = "certificate.json", "report.json", "SHA256SUMS", "SHA256SUMS.sigstore.json"
_LARGEST_CERTIFICATE = 1 << 28


def prepared(folder: Path) -> None:
    """Make the folder. Raises UsageError when it has something already, or cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        occupied = any(folder.iterdir())
    except OSError as error:
        raise UsageError(f"cannot write {folder}: {error.strerror}") from error
    if occupied:
        raise UsageError(f"{folder} is not empty; a certificate has a folder of its own")


def as_text(content: Mapping[str, Any]) -> str:
    """A certificate, or a report, as the text of its file."""
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files by their path below the folder, and the manifest of all of them. Raises UsageError."""
    manifest = "".join(f"{sha256(data)}  {name}\n" for name, data in sorted(files.items()))
    try:
        for name, data in {**files, MANIFEST: manifest.encode()}.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    except OSError as error:
        raise UsageError(f"cannot write {folder}: {error.strerror}") from error


def read_certificate(path: Path) -> dict[str, Any]:
    """The content of a certificate, given as its file or its folder. Raises UsageError when it is none."""
    path = path / CERTIFICATE if path.is_dir() else path
    try:
        if path.stat().st_size > _LARGEST_CERTIFICATE:
            raise UsageError(f"{path} is too large for a certificate")
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is no certificate: {error}") from error
    if not isinstance(content, dict):
        raise UsageError(f"{path} is no certificate")
    return content


def manifest_problems(folder: Path, needed: set[str]) -> Iterator[str]:
    """What of the files differs from the manifest, and which files that are needed it does not have."""
    try:
        lines = (folder / MANIFEST).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        yield f"{MANIFEST} cannot be read"
        return
    listed = set()
    for number, line in enumerate(lines, 1):
        digest, separator, name = line.partition("  ")
        if not separator or not is_inside(name):
            yield f"{MANIFEST}: line {number} is not a digest and a name below the folder"
            continue
        listed.add(name)
        data = read_file(folder, name)
        if data is None:
            yield f"{name} is missing"
        elif sha256(data) != digest:
            yield f"{name} is not the file of which the manifest has the digest"
    yield from (f"{name} is not in {MANIFEST}" for name in sorted(needed - listed))


def read_file(folder: Path, name: str) -> bytes | None:
    """A file below the folder; None when there is none, or its name leads elsewhere."""
    path = folder / name
    try:
        inside = path.resolve().is_relative_to(folder.resolve())
        return path.read_bytes() if is_inside(name) and inside and path.is_file() else None
    except (OSError, ValueError):
        return None


def is_inside(name: str) -> bool:
    """Whether a path stays below the folder that it is taken from."""
    path = PurePosixPath(name)
    return bool(name) and not path.is_absolute() and ".." not in path.parts and "\\" not in name and "\0" not in name
