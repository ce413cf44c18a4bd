"""The whole site, built once: without a warning, in time, and with links that lead somewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import nnr_conformance
from nnr_conformance.data import data_path
from nnr_conformance.diagnostics import catalogue
from nnr_conformance.readings import known_readings
from nnr_conformance.suite.registry import load_divergences, load_requirements
from nnr_conformance.syntax.describe import structures
from nnr_conformance.syntax.semantics import all_semantics
from nnr_sphinx.docstrings import module_names
from nnr_sphinx.page_text import PAGES
from nnr_sphinx.stored_streams import stored_streams
from tests.report.browser import Browser, find_browser

PROGRAMS = ("nnr-check", "nnr-decode", "nnr-encode", "nnr-explain", "nnr-suite")
LONGEST = 180
"""Seconds that the build may take: those of the processor, since a machine may have other things to do."""


class Page(HTMLParser):
    """Anchors and links of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = {""}
        self.links: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.anchors.add(given.get("id") or "")
        for name in ("href", "src"):
            if given.get(name):
                self.links.add(str(given[name]))


def broken_links(site: Path) -> Iterator[str]:
    """Links inside the site that lead nowhere."""
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.is_file():
                yield f"{path.name}: {link}"
            elif parts.fragment.startswith("stream="):
                if parts.fragment.removeprefix("stream=") not in {one.path for one in stored_streams().values()}:
                    yield f"{path.name}: {link} names no stream"
            elif target.suffix == ".html" and unquote(parts.fragment) not in pages[target].anchors:
                yield f"{path.name}: {link} has no such anchor"


def outside_requests(site: Path) -> Iterator[str]:
    """What a browser would load from elsewhere."""
    for path in site.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        for mark in ('src="http', "url(http", '<link rel="stylesheet" type="text/css" href="http'):
            if mark in text:
                yield f"{path.name}: {mark}"


OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def faults_seen_in_a_browser(site: Path, program: str, profile: Path) -> Iterator[str]:
    """Pages that have to be scrolled sideways on a narrow or a wide screen, and what pages complain of."""
    with Browser(program, profile) as browser:
        # The lists of streams are long, and all of one form; the explorer has tests of its own.
        for path in sorted([*site.glob("*.html"), *site.glob("[!s]*/*.html"), *site.glob("sp*/*.html")]):
            browser.open(path)
            for width in (400, 1400):
                browser.look(width=width, height=900, dark=width == 400)
                beyond = browser.value(OVERFLOW)
                if beyond > 0:
                    yield f"{path.name}: {beyond} px too wide at {width} px"
            yield from (f"{path.name}: {words}" for words in browser.complaints)
            browser.complaints.clear()


def time_of_children() -> float:
    """Processor time of the programs that were started so far and have ended."""
    found = os.times()
    return found.children_user + found.children_system


def command_names(program: str) -> Iterator[str]:
    """A program and its subcommands, as its help lists them."""
    yield program
    result = subprocess.run(
        [sys.executable, "-m", f"nnr_conformance.cli.{program.removeprefix('nnr-')}", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    _, _, listed = result.stdout.partition("subcommands:")
    for line in listed.splitlines():
        if re.match(r"    \w", line):
            yield f"{program} {line.split()[0]}"


def test_the_site_builds_in_time_and_shows_all_there_is(tmp_path: Path) -> None:
    pytest.importorskip("sphinx", reason="the site needs the dependency group 'docs'")
    pytest.importorskip("furo", reason="the site needs the dependency group 'docs'")
    pytest.importorskip("myst_parser", reason="the site needs the dependency group 'docs'")
    site = tmp_path / "site"
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", str(PAGES), str(site)]
    began = time_of_children()
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1800)
    took = time_of_children() - began
    assert (result.returncode, result.stderr) == (0, "")
    assert took < LONGEST
    assert list(broken_links(site)) == []
    assert list(outside_requests(site)) == []

    mention = 'href="6-compressed-data.html#el-cabac_unary_length_minus1"'
    assert mention in (site / "specification" / "10-contexts.html").read_text(encoding="utf-8")
    browser = find_browser()
    if browser is not None:
        assert list(faults_seen_in_a_browser(site, browser, tmp_path / "profile")) == []

    # Imported here: Sphinx may be missing.
    from sphinx.util.inventory import InventoryFile  # noqa: PLC0415

    with (site / "objects.inv").open("rb") as file:
        inventory = InventoryFile.load(file, "", lambda base, uri: uri)
    found = {kind.partition(":")[2]: set(names) for kind, names in inventory.items() if kind.startswith("nnr:")}
    assert found["req"] == set(load_requirements())
    assert found["el"] == set(all_semantics())
    assert found["struct"] == set(structures())
    assert found["stream"] == set(stored_streams())
    assert found["reading"] == set(known_readings())
    assert found["div"] == set(load_divergences())
    assert found["code"] == set(catalogue())
    assert found["command"] == {name for program in PROGRAMS for name in command_names(program)}
    assert found["schema"] == {
        path.name.removesuffix(".schema.json") for path in data_path("spec/schemas").glob("*.json")
    }
    assert found["module"] == set(module_names())
    assert found["api"] >= {f"nnr_conformance.{name}" for name in nnr_conformance.__all__}
    for index, names in (("requirements", found["req"]), ("elements", found["el"]), ("streams", found["stream"])):
        text = (site / f"nnr-{index}.html").read_text(encoding="utf-8")
        assert [name for name in names if f">{name}<" not in text] == []
