"""What the pages of implementations share: the options of their commands, headings, and writing or checking files."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path


def page_options(names: Sequence[str]) -> argparse.ArgumentParser:
    """NAME... and --check; `names`: of all pages."""
    options = argparse.ArgumentParser()
    options.add_argument("names", nargs="*", metavar="NAME", help=", ".join(names))
    options.add_argument("--check", action="store_true")
    return options


def chosen_names(options: argparse.ArgumentParser, names: Sequence[str], wanted: Sequence[str]) -> set[str]:
    """The pages that are asked for, all where none is named; one that there is not ends the command."""
    for name in sorted(set(wanted) - set(names)):
        options.error(f"there is no page {name}")
    return set(wanted or names)


def settle(path: Path, written: str, *, check: bool) -> bool:
    """Write a file, or only say that it differs; whether it is another one than before."""
    if path.exists() and path.read_text(encoding="utf-8") == written:
        return False
    print(f"{path.name} {'differs' if check else 'written'}")
    if not check:
        path.write_text(written, encoding="utf-8")
    return True


def section(title: str, lines: Iterator[str]) -> Iterator[str]:
    """Lines under a heading."""
    yield ""
    yield f"## {title}"
    yield ""
    yield from lines
