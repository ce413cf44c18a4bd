"""Readings: every one known, chosen by name, and able to change a result."""

from __future__ import annotations

from pathlib import Path

import pytest

from nnr_conformance.errors import UsageError
from nnr_conformance.readings import DEFAULT_READINGS, Readings, known_readings

PACKAGE = Path(__file__).parents[1] / "nnr_conformance"
SOURCES = "\n".join(path.read_text() for path in sorted(PACKAGE.rglob("*.py")))


@pytest.mark.parametrize("name", sorted(known_readings()))
def test_every_reading_is_asked_for_in_the_code_and_says_why_its_default_is_one(name: str) -> None:
    row = known_readings()[name]
    assert f'"{name}"' in SOURCES
    assert row["default"] in row["readings"]
    assert len(row["readings"]) >= 2
    assert row["why"]
    assert set(row["follows"]) <= set(row["readings"])
    assert row["confidence"] in {"high", "medium", "low"}


def test_a_choice_replaces_the_default_and_leaves_the_others() -> None:
    chosen = Readings.choose(["split-index=length"])
    assert chosen["split-index"] == "length"
    assert not chosen.is_default("split-index")
    assert all(chosen[name] == DEFAULT_READINGS[name] for name in known_readings() if name != "split-index")


@pytest.mark.parametrize("choice", ["split-index", "nonsense=1", "split-index=middle", "=", ""])
def test_unknown_choices_are_refused_with_what_is_known(choice: str) -> None:
    with pytest.raises(UsageError):
        Readings.choose([choice])
