"""Command templates: words, places, groups."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnr_conformance.errors import UsageError
from nnr_conformance.suite.runner.templates import check_places, command, places

WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0[]{}"), min_size=1)


def test_a_place_becomes_as_many_words_as_are_given():
    assert command("dec {streams} -o {tensors}", {"streams": ["a b", "c"], "tensors": ["t"]}) == [
        *("dec", "a b", "c", "-o", "t")
    ]


def test_a_place_inside_a_word_stays_inside():
    assert command("dec --out={tensors}", {"tensors": ["a b"]}) == ["dec", "--out=a b"]


def test_a_group_is_left_out_when_there_is_nothing_to_give():
    template = "dec {stream} [--base {base}] -o {tensors}"
    given_ = {"stream": ["s"], "base": ["b"], "tensors": ["t"]}
    assert command(template, given_, frozenset({"base"})) == ["dec", "s", "-o", "t"]
    assert command(template, given_) == ["dec", "s", "--base", "b", "-o", "t"]


@given(st.lists(WORDS, min_size=1))
def test_words_without_places_stay_as_a_shell_would_split_them(words: list[str]):
    assert command(shlex.join(words), {}) == words


@given(WORDS)
def test_what_is_given_is_never_read_as_a_template(given_: str):
    hostile = f"{{tensors}}; {given_} $(x)"
    assert command("dec {stream}", {"stream": [hostile]}) == ["dec", hostile]


@pytest.mark.parametrize("template", ["", "   ", "dec 'x", "dec [--base {base}", "dec [ {base}"])
def test_what_cannot_be_split_is_wrong_use(template: str):
    with pytest.raises(UsageError):
        places(template)


def test_unknown_places_and_missing_ones_are_named():
    with pytest.raises(UsageError, match=r"\{stram\}.*known"):
        check_places("dec {stram}", {"stream"}, {"stream"})
    with pytest.raises(UsageError, match=r"no place \{stream\}"):
        check_places("dec", {"stream"}, {"stream"})
