"""Something that fails as a whole in a run: the value that reports show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that fails as a whole.

    `properties`: what holds together, as `traits.properties_of` has it; none: every case. `says`: what all its failures
    say, empty where the properties tell them. `failed`: its failures, of `ran`, the cases with the properties.
    `said`: what the failures say with how often, the most frequent first. `cases`: failures that no finding before this
    one tells. `example`: of these the one with the fewest properties. `contrast`: the case that passed with the fewest
    properties different from it, empty where none passed. `more`, `less`: properties that one of the two has alone.
    """

    properties: tuple[str, ...]
    says: str
    failed: int
    ran: int
    said: Mapping[str, int]
    cases: tuple[str, ...]
    example: str
    contrast: str
    more: tuple[str, ...]
    less: tuple[str, ...]
