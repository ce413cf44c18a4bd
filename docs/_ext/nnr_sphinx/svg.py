"""Small pieces of SVG, drawn in the colour of the text around them."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

ARROW = (
    '<defs><marker id="{name}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
    'orient="auto-start-reverse"><path d="M0 0 10 5 0 10z" fill="{colour}"/></marker></defs>'
)
BAD = "var(--nnr-bad, #c4472b)"


def drawing(width: int, height: int, title: str, parts: Iterable[str], *, minimum: int = 300) -> str:
    """A whole drawing."""
    body = "".join(parts)
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" xmlns="http://www.w3.org/2000/svg" font-size="13" '
        f'font-family="system-ui, sans-serif" style="max-width:{width}px;min-width:min({minimum}px,100%)" '
        f'fill="currentColor"><title>{escape(title)}</title>{body}</svg>'
    )


def text(x: float, y: float, words: str, *, anchor: str = "start", colour: str = "", size: float = 0) -> str:
    """Words at a place."""
    look = f' fill="{colour}"' if colour else ""
    look += f' font-size="{size}"' if size else ""
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}"{look}>{escape(words)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, *, colour: str = "currentColor", more: str = "") -> str:
    """A straight line; `more`: further attributes."""
    return f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}" stroke="{colour}" {more}/>'


def box(x: float, y: float, width: float, height: float, *, fill: str = "none", more: str = "") -> str:
    """A rectangle."""
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" fill="{fill}" stroke="currentColor" '
        f'rx="4" {more}/>'
    )


def path(d: str, *, colour: str = "currentColor", more: str = "") -> str:
    """A curve."""
    return f'<path d="{d}" fill="none" stroke="{colour}" {more}/>'
