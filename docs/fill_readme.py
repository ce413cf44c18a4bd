"""Put what the commands shown in README.md and docs/ really print below them; with --check, say whether it is there.

A block to fill follows a comment ``<!-- output: NAME -->`` and begins with one line ``$ COMMAND``.
"""

from __future__ import annotations

import argparse
import re
import shlex
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
PAGES = (TOP / "README.md", TOP / "docs" / "cfp2019.md")
BLOCK = re.compile(
    r"(<!-- output: [^>]* -->\n```console\n\$ (?P<command>[^\n]*)\n)(?P<output>.*?)(?=^```$)", re.DOTALL | re.MULTILINE
)


def filled(text: str) -> str:
    """A page with every output block filled by a real run in the top folder of the repository."""

    def run(block: re.Match[str]) -> str:
        command = shlex.split(block["command"])
        result = subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=True)
        return block[1] + result.stdout.rstrip() + "\n"

    return BLOCK.sub(run, text)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if a page is not up to date")
    chosen = parser.parse_args()
    return max([_fill(page, check=chosen.check) for page in PAGES])


def _fill(page: Path, *, check: bool) -> int:
    text = page.read_text(encoding="utf-8")
    if not BLOCK.search(text):
        print(f"{page.name} has no output block to fill", file=sys.stderr)
        return 1
    wanted = filled(text)
    if wanted == text:
        return 0
    if check:
        print(
            f"{page.name} shows another output than the commands print; run: python docs/fill_readme.py",
            file=sys.stderr,
        )
        return 1
    page.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
