"""Coverage as one self-contained HTML page: a bar for each group, each item with the smallest stream that meets it."""

from __future__ import annotations

from html import escape
from typing import Any

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --met: #2a7d4f; --not: #b3401f; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; padding: .2rem .6rem .2rem 0; }
td { border-top: 1px solid var(--line); overflow-wrap: anywhere; } .number { text-align: right; }
meter { width: 10rem; } .not { color: var(--not); } summary { cursor: pointer; padding: .3rem 0; font-weight: 600; }
@media (prefers-color-scheme: dark) { :root { --met: #6fcf97; --not: #ff9b7a; } }
"""


def page(values: dict[str, Any]) -> str:
    """The page of what `report.to_json` gives."""
    size = sum(stream["bytes"] for stream in values["streams"])
    groups = "".join(_group(group) for group in values["groups"])
    title = f"Coverage of {len(values['streams'])} streams"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body>"
        f"<h1>{title}</h1><p>{size:,} bytes; nnr-conformance {escape(values['version'])}</p>"
        f"{_summary(values)}{groups}{_code(values['code'])}</body></html>\n"
    )


def _summary(values: dict[str, Any]) -> str:
    rows = [(group["group"], group["met"], group["reachable"]) for group in values["groups"]]
    for kind in ("lines", "branches"):
        if values["code"]:
            met, most = (sum(row[key] for row in values["code"]) for key in (f"covered_{kind}", kind))
            rows.append((f"{kind} of the decoder", met, most))
    body = "".join(
        f'<tr><td>{escape(name)}</td><td class="number">{met}</td><td class="number">{most}</td>'
        f'<td><meter min="0" max="{max(most, 1)}" value="{met}">{met} of {most}</meter></td></tr>'
        for name, met, most in rows
    )
    return f"<table><tr><th>group</th><th>met</th><th>reachable</th><th></th></tr>{body}</table>"


def _group(group: dict[str, Any]) -> str:
    rows = "".join(_item(item) for item in group["items"])
    opened = " open" if group["met"] < group["reachable"] else ""
    return (
        f"<details{opened}><summary>{escape(group['group'])}: {group['met']} of {group['reachable']}</summary>"
        f'<table><tr><th>item</th><th class="number">times</th><th>smallest stream</th></tr>{rows}</table></details>'
    )


def _item(item: dict[str, Any]) -> str:
    if item["unreachable"]:
        where = f"cannot be reached: {escape(item['unreachable'])}"
    elif item["smallest_stream"]:
        where = escape(item["smallest_stream"])
    else:
        where = '<span class="not">not met</span>'
    return f'<tr><td>{escape(item["name"])}</td><td class="number">{item["count"]}</td><td>{where}</td></tr>'


def _code(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return ""
    body = "".join(
        f'<tr><td>{escape(row["module"])}</td><td class="number">{row["covered_lines"]} of {row["lines"]}</td>'
        f'<td class="number">{row["covered_branches"]} of {row["branches"]}</td>'
        f"<td>{', '.join(map(str, row['missing_lines']))}</td></tr>"
        for row in rows
    )
    head = "<tr><th>module</th><th>lines</th><th>branches</th><th>lines not run</th></tr>"
    return f"<h2>The decoder's code</h2><table>{head}{body}</table>"
