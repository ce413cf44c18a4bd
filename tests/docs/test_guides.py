"""The guides' examples do what the guides say."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from nnr_sphinx.examples import agree, run_page
from nnr_sphinx.page_text import PAGES, used

RUN = sorted(path for path in (PAGES / "guides").glob("*.md") if "$ " in path.read_text(encoding="utf-8"))


@pytest.mark.skipif(shutil.which("bash") is None, reason="commands are typed into bash")
@pytest.mark.parametrize("page", RUN, ids=lambda path: path.stem)
def test_examples_print_what_the_page_says(page: Path) -> None:
    _, differences = run_page(page)
    assert differences == []


@pytest.mark.parametrize(
    ("said", "printed", "same"),
    [
        ("one\n", "one\n", True),
        ("one\n", "two\n", False),
        ("...\nlast\n", "first\nsecond\nlast\n", True),
        ("...\nlast\n", "last\n", True),
        ("rules: ... passed, 0 failed\n", "rules: 7 applied, 7 passed, 0 failed\n", True),
        ("rules: ... passed, 0 failed\n", "rules: 7 applied, 6 passed, 1 failed\n", False),
        ("", "unexpected\n", False),
        ("a.c\n", "abc\n", False),
    ],
)
def test_an_output_agrees_when_only_what_is_left_out_differs(said: str, printed: str, same: bool) -> None:
    assert agree(said, printed) is same


def recipes() -> list[tuple[str, str]]:
    """The YAML files of the recipes by name."""
    blocks = [one for one in used("code-block") if one.page == "guides/recipes" and one.argument == "yaml"]
    return [(one.options["caption"], one.content) for one in blocks]


def commands(value: object) -> list[str]:
    """All commands of this package in a file of a service."""
    if isinstance(value, dict):
        return [found for inner in value.values() for found in commands(inner)]
    if isinstance(value, list):
        return [found for inner in value for found in commands(inner)]
    return [value] if isinstance(value, str) and value.startswith("nnr-") and " " in value else []


@pytest.mark.parametrize(("name", "text"), recipes())
def test_recipes_are_well_formed_and_hold_commands_that_the_page_runs(name: str, text: str) -> None:
    page = (PAGES / "guides" / "recipes.md").read_text(encoding="utf-8")
    held = commands(yaml.safe_load(text))
    assert held, name
    for command in held:
        assert f"$ {command}" in page, command


def test_every_recipe_is_shown() -> None:
    names = {name for name, _ in recipes()}
    assert {".github/workflows/streams.yml", ".gitlab-ci.yml", ".pre-commit-config.yaml"} <= names
