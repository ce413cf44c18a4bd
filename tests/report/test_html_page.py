"""The frame of all pages, and that no page says again what the shared style says."""

from __future__ import annotations

import re

import pytest

from nnr_conformance.report.html_page import file_text, page

SHARED = file_text("nnr_conformance.report", "html_page.css")
OWN = {
    "nnr-check": file_text("nnr_conformance.report", "html_report.css"),
    "nnr-suite": file_text("nnr_conformance.suite.results", "run.css"),
}


def rules(style: str) -> set[str]:
    """Rules that take one line, and colours that a style gives."""
    lines = {line.strip() for line in style.splitlines() if line.strip().endswith("}") and "{" in line}
    return lines | set(re.findall(r"(--[\w-]+): ", style))


@pytest.mark.parametrize("name", OWN)
def test_no_rule_and_no_colour_is_given_twice(name: str) -> None:
    assert not rules(SHARED) & rules(OWN[name])


@pytest.mark.parametrize("name", OWN)
def test_every_colour_that_a_page_uses_is_one_that_it_has(name: str) -> None:
    style = SHARED + OWN[name]
    assert set(re.findall(r"var\((--[\w-]+)\)", style)) <= set(re.findall(r"(--[\w-]+): ", style))


def test_what_is_hidden_stays_so_whatever_rules_come_behind() -> None:
    assert "[hidden] { display: none !important; }" in SHARED


def test_a_body_that_looks_like_a_place_of_the_frame_is_left_as_it_is() -> None:
    lines = list(page("t", "", ["$script", "$title $$"], "let a = '$body';"))
    assert "$script" in lines
    assert "$title $$" in lines
    assert "<script>let a = '$body';</script>" in lines
