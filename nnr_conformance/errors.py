"""The package's exceptions; no other exception leaves a public function."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nnr_conformance.diagnostics import Diagnostic


class NnrError(Exception):
    """Base of every exception that this package raises."""


class BitstreamError(NnrError):
    """Decoding of a unit or a payload cannot go on; `diagnostic` says what was found and where."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(str(diagnostic))
        self.diagnostic = diagnostic


class BuildError(NnrError):
    """A tree cannot be written as a bitstream: an element is missing or its value does not fit its descriptor."""


class UsageError(NnrError, ValueError):
    """A public function or a command was called with arguments that make no sense."""
