"""The formats of a run by name. A renderer is imported when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any, cast

from nnr_conformance.suite.results.report import RunReport

Renderer = Callable[[RunReport], Iterator[str]]
"""Gives the report in pieces that are lines without their ends; every piece can be encoded in UTF-8."""

FORMATS: Mapping[str, str] = {
    "text": "nnr_conformance.suite.results.text",
    "json": "nnr_conformance.suite.results.json",
    "jsonl": "nnr_conformance.suite.results.jsonl",
    "junit": "nnr_conformance.suite.results.junit",
    "markdown": "nnr_conformance.suite.results.markdown",
    "html": "nnr_conformance.suite.results.html",
}
"""The module of each format."""


def renderer(name: str) -> Renderer:
    """The renderer of a format. Raises KeyError for a name that is not in `FORMATS`."""
    render: Any = import_module(FORMATS[name]).render
    return cast(Renderer, render)
