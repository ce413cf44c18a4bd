"""Where the bytes of a stream come from: the golden streams, a file, or an fsspec URL."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from nnr_conformance.data import data_path
from nnr_conformance.errors import UsageError
from nnr_conformance.suite.corpus.recipes import FOLDER

GOLDEN = "golden:"
"""What a source begins with that is a path below `bitstreams/`."""


class Unreadable(UsageError):
    """The bytes of a stream cannot be had; `reason` says why, without the place."""

    def __init__(self, source: str, reason: str) -> None:
        super().__init__(source, reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"cannot read {self.args[0]}: {self.reason}"


def source_bytes(source: str) -> bytes:
    """The bytes of a stream. Raises Unreadable when they cannot be had, UsageError without fsspec for a URL."""
    try:
        if source.startswith(GOLDEN):
            return data_path(f"{FOLDER}/{source.removeprefix(GOLDEN)}").read_bytes()
        if is_url(source):
            with filesystem_package().open(source, "rb") as file:
                return bytes(file.read())
        return Path(source).read_bytes()
    except UsageError:
        raise
    except Exception as error:
        # Any exception: each file system of fsspec raises those of the package that it stands on.
        raise Unreadable(source, _reason(error)) from error


def is_url(source: str) -> bool:
    """Whether a place is a URL rather than a path."""
    return "://" in source


def filesystem_package() -> Any:
    """fsspec. Raises UsageError where it is not installed."""
    try:
        return import_module("fsspec")
    except ModuleNotFoundError:
        raise UsageError("streams from URLs need fsspec: pip install nnr-conformance[fsspec]") from None


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return (str(error) or type(error).__name__).splitlines()[0]
