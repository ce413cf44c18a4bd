"""Functions cut into steps."""

from __future__ import annotations

import pytest

from nnr_sphinx.steps import items, signature_text, source_lines, steps_of


def example(first: int, second: int) -> int:
    """Adds.

    Twice.
    """
    total = first + second
    if total > 2:
        total += second
    return total


def test_a_step_reaches_to_the_next_fragment() -> None:
    steps = steps_of(example, "- `total = first`: Add.\n- `if total`: Add again,\n  sometimes.\n- `return`: The sum.")
    assert [step.source for step in steps] == [
        "total = first + second",
        "if total > 2:\n    total += second",
        "return total",
    ]
    assert steps[1].words == "Add again, sometimes."
    assert steps[1].first_line == example.__code__.co_firstlineno + 6


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("- `nothing like it`: Add.", "no line with 'nothing like it'"),
        ("- `total = first`: Add.\n- `return`: The sum.\n- `if total`: Late.", "behind the step before"),
        ("- `return`: The sum.", "leaves out 'total = first"),
        ("words", "no steps"),
    ],
)
def test_steps_that_the_source_does_not_have_are_refused(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        steps_of(example, text)


def test_a_fragment_may_hold_backticks_of_its_own_words() -> None:
    assert list(items("- ``a[`b`]``: words")) == [("a[`b`]", "words")]


def test_docstrings_are_no_source() -> None:
    lines, _ = source_lines(example)
    assert lines[0].strip() == "total = first + second"


def test_the_signature_is_the_head_as_it_is_written() -> None:
    assert signature_text(example) == "def example(first: int, second: int) -> int:"
