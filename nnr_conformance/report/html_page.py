"""The frame of all HTML pages: one file that needs nothing else, its head, and the style that pages share."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator
from hashlib import sha256
from importlib import resources
from string import Template


def page(title: str, style: str, body: Iterable[str], script: str) -> Iterator[str]:
    """A page in pieces that are lines without their ends.

    `title`: escaped. `style`: rules behind the shared ones. `body`: escaped pieces. `script`: the only one that the
    policy of the page lets run; nothing comes from elsewhere.
    """
    digest = b64encode(sha256(script.encode("utf-8")).digest()).decode("ascii")
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    before, after = file_text(__package__, "html_page.html").split("\n$body\n")
    rules = f"{file_text(__package__, 'html_page.css')}\n{style}"
    yield from Template(before).substitute(title=title, policy=policy, style=rules).split("\n")
    yield from body
    yield from Template(after).substitute(script=script).split("\n")


def file_text(package: str, name: str) -> str:
    """A file of a package, without the end of its last line."""
    return (resources.files(package) / name).read_text(encoding="utf-8").rstrip("\n")
