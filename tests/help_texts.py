"""Keep the help texts that the documentation quotes the same as those of the command line.

A line ``<!-- help: benchbase run -->`` says that the fenced block below it is what
``benchbase run --help`` prints. Run as a script this checks all of them; ``--write`` renews them.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "plugins/**/*.md", "benchbase/**/*.md", "leaderboards/**/*.md")
    for path in ROOT.glob(pattern)
    if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
)
BLOCK = re.compile(r"(<!-- help: benchbase ?([\w -]*) -->\n+```\w*\n)(.*?)(\n```)", re.DOTALL)


@cache
def help_of(command: str) -> str:
    """Give what ``benchbase COMMAND --help`` prints on a terminal of 80 columns."""
    program = Path(sys.executable).with_name("benchbase")
    ran = subprocess.run(
        [program, *command.split(), "--help"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "80", "NO_COLOR": "1"},
    )
    if ran.returncode:
        raise ValueError(f"`benchbase {command} --help` failed: {ran.stderr}")
    return ran.stdout


def renewed(text: str) -> str:
    """Give a document with the help texts of today."""
    return BLOCK.sub(lambda found: found[1] + help_of(found[2]).rstrip() + found[4], text)


def main(arguments: list[str]) -> int:
    """Check all documents, or renew them; 1 when one was stale and stays so."""
    stale = [path for path in DOCUMENTS if renewed(path.read_text()) != path.read_text()]
    for path in stale:
        if "--write" in arguments:
            path.write_text(renewed(path.read_text()))
        print(f"{path.relative_to(ROOT)}: the help text differs from the command line's")
    if stale and "--write" not in arguments:
        print("renew it: uv run nox -s docs -- --write")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
