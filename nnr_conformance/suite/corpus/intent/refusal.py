"""When a recipe says too little, or something without a meaning, for it to be known what a decoder must give."""

from __future__ import annotations

from nnr_conformance.errors import NnrError


class NoIntent(NnrError):
    """What the builder meant cannot be told from the recipe; `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
