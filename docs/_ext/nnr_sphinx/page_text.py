"""The pages as they are written: which directives stand on which, read without Sphinx."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PAGES = Path(__file__).resolve().parents[2]
"""The folder `docs`."""
_FENCE = re.compile(
    r"^(?P<fence>```+)\{(?P<name>[\w:-]+)\} *(?P<argument>[^\n]*)\n(?P<content>.*?)^(?P=fence)$",
    re.DOTALL | re.MULTILINE,
)
_OPTION = re.compile(r"^:(?P<name>[\w-]+): *(?P<value>.*)$")


@dataclass(frozen=True, slots=True)
class Used:
    """A directive on a page."""

    page: str
    name: str
    argument: str
    options: dict[str, str]
    content: str


def directives(folder: Path = PAGES) -> Iterator[Used]:
    """All directives of all pages, in the order of the pages' names."""
    for path in pages(folder):
        page = path.relative_to(folder).with_suffix("").as_posix()
        for match in _FENCE.finditer(path.read_text(encoding="utf-8")):
            options: dict[str, str] = {}
            lines = match["content"].splitlines()
            while lines and (option := _OPTION.match(lines[0])):
                options[option["name"]] = option["value"]
                lines.pop(0)
            yield Used(page, match["name"], match["argument"].strip(), options, "\n".join(lines))


def pages(folder: Path = PAGES) -> list[Path]:
    """All pages of the site."""
    return [
        path for path in sorted(folder.rglob("*.md")) if "explorer" not in path.parts and "_build" not in path.parts
    ]


REST = "THE REST"
"""The line of a table of contents that stands for all pages beside `index` that it does not name."""


def with_rest(text: str, folder: Path = PAGES) -> str:
    """The text of the first page with those pages of the top folder that no table of contents names."""
    lines = set(text.splitlines())
    rest = [path.stem for path in sorted(folder.glob("*.md")) if path.stem not in lines | {"index"}]
    return text.replace(f"{REST}\n", "".join(f"{name}\n" for name in rest))


def used(name: str, folder: Path = PAGES) -> list[Used]:
    """All uses of one directive, such as ``nnr:syntax``."""
    return [one for one in directives(folder) if one.name == name]
