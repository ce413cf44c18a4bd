"""``nnr:streams``: the stored streams of one page, each with what it is about and what is found in it."""

from __future__ import annotations

import os

from docutils import nodes

from nnr_sphinx.base import PageDirective
from nnr_sphinx.pieces import Nodes, edition_mark, links, mark, paragraph, stream_links
from nnr_sphinx.stored_streams import Stream, stored_streams, stream_name

EXPLORER = "streams/explorer.html"
"""The explorer with all streams, in the site."""
FILES = "streams/files"
"""Folder of the site with the streams themselves."""


class StreamsDirective(PageDirective):
    """All streams whose page this is."""

    required_arguments = 0

    def page_part(self) -> Nodes:
        page = self.env.docname
        chosen = [stream for stream in stored_streams().values() if stream.page == page]
        if not chosen:
            raise ValueError(f"no stream is listed on {page}")
        return [self._card(stream) for stream in chosen]

    def _card(self, stream: Stream) -> nodes.Node:
        anchor = f"stream-{stream.name.replace('/', '-')}"
        self.note("stream", stream.name, anchor, f"{stream.name}: {stream.row.get('purpose', 'by another encoder')}")
        card = nodes.container(classes=["nnr-card", "nnr-stream-card"], ids=[anchor])
        row = stream.row
        here = os.path.dirname(self.env.docname)  # noqa: PTH120 - a part of an address, no path of a file
        uri = os.path.relpath(f"{FILES}/{stream.path}", here)
        head: Nodes = [nodes.reference(stream.stem, stream.stem, refuri=uri, internal=True, classes=["nnr-file"])]
        head += [nodes.Text(f" {stream.size} B "), mark(row.get("verdict", "by another encoder"), "verdict")]
        head += [nodes.Text(" "), *edition_mark(row.get("editions", (1, 2)))]
        if row:
            page = f"{os.path.relpath(EXPLORER, here)}#stream={stream.path}"
            head += [nodes.Text(" "), nodes.reference("explore", "explore", refuri=page, internal=True)]
        card += paragraph(head, classes=["nnr-head"])
        if not row:
            return card
        card += paragraph(row["purpose"], " ", nodes.emphasis(row["bug"], row["bug"]))
        card += paragraph(*_details(stream), classes=["nnr-details"])
        return card


def _details(stream: Stream) -> list[Nodes]:
    row = stream.row
    found: list[Nodes] = []
    if row["requirements"]:
        found.append([nodes.Text("About "), *links("req", row["requirements"]), nodes.Text(". ")])
    if row["tools"]:
        found.append([nodes.Text(f"Tools: {', '.join(row['tools'])}. ")])
    if row["readings"]:
        found.append([nodes.Text("Depends on "), *links("reading", row["readings"]), nodes.Text(". ")])
    codes = list(dict.fromkeys(one["code"] for one in row["diagnostics"]))
    if codes:
        found.append([nodes.Text("Found: "), *links("code", codes), nodes.Text(". ")])
    if row.get("before"):
        found.append([nodes.Text("Decoded after "), *stream_links(map(stream_name, row["before"])), nodes.Text(". ")])
    return found
