"""A badge: an SVG image with text that screen readers read, and the JSON that badge services ask for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from typing import Any

LABEL = "NNR encoder"
_COLOURS = {"certified": ("brightgreen", "#2f7d32"), "refused": ("red", "#b3261e")}
_WIDTHS = {
    " ": 3.9,
    "i": 3.2,
    "l": 3.2,
    "j": 3.6,
    "t": 4.6,
    "f": 4.2,
    "r": 4.8,
    "m": 10.4,
    "w": 9.0,
    ".": 4.0,
    ",": 4.0,
}
_WIDTH = 7.1
"""Of most letters at 11 pixels; what is a little too wide does no harm."""
_PADDING = 7


def badge_json(body: Mapping[str, Any]) -> str:
    """The JSON of an endpoint badge: schemaVersion, label, message, color."""
    row = {"schemaVersion": 1, "label": LABEL, "message": message(body), "color": _COLOURS[body["verdict"]][0]}
    return json.dumps(row, ensure_ascii=False) + "\n"


def message(body: Mapping[str, Any]) -> str:
    """What the right half of a badge says."""
    if body["verdict"] == "certified":
        return f"certified by battery {body['suite']['battery']}, {len(body['requirements'])} requirements"
    return "not certified"


def badge_svg(body: Mapping[str, Any]) -> str:
    """The badge as an image, 20 pixels high."""
    right = message(body)
    left_width, right_width = _width(LABEL), _width(right)
    whole = left_width + right_width
    title = escape(f"{LABEL}: {body['implementation']['name']} {body['implementation']['version']} {right}")
    colour = _COLOURS[body["verdict"]][1]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{whole}" height="20" role="img" aria-labelledby="title">\n'
        f'<title id="title">{title}</title>\n'
        f'<clipPath id="round"><rect width="{whole}" height="20" rx="3"/></clipPath>\n'
        f'<g clip-path="url(#round)"><rect width="{left_width}" height="20" fill="#444"/>'
        f'<rect x="{left_width}" width="{right_width}" height="20" fill="{colour}"/></g>\n'
        '<g fill="#fff" text-anchor="middle" font-family="Verdana,Geneva,DejaVu Sans,sans-serif" font-size="11">'
        f'<text x="{left_width / 2:g}" y="14">{escape(LABEL)}</text>'
        f'<text x="{left_width + right_width / 2:g}" y="14">{escape(right)}</text></g>\n'
        "</svg>\n"
    )


def _width(text: str) -> int:
    return round(sum(_WIDTHS.get(letter, _WIDTH) for letter in text)) + 2 * _PADDING
