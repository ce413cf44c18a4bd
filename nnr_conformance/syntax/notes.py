"""Meanings of values in words that follow from one number, as data that other programs can read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Counted:
    """The note of a descriptor: `text`, in which ``{}`` is the value plus `plus`; `zero`: the text for 0, if another.

    A text without ``{}`` says the same of every value.
    """

    text: str
    plus: int = 0
    zero: str | None = None

    def __call__(self, element: Any) -> str:
        if self.zero is not None and element == 0:
            return self.zero
        return self.text.replace("{}", str(element + self.plus))
