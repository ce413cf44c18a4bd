"""Notes with a number in them."""

from __future__ import annotations

from nnr_conformance.syntax.notes import Counted


def test_a_counted_note_says_the_number_in_words() -> None:
    assert Counted("{} ids", plus=2)(3) == "5 ids"
    assert Counted("update {}", zero="base")(0) == "base"
    assert Counted("update {}", zero="base")(1) == "update 1"
    assert Counted("bytes")(7) == "bytes"
