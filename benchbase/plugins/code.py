"""What of a source file can change a result: all of it but comments, docstrings and blank lines."""

from __future__ import annotations

import ast
import functools
import hashlib
import io
import tokenize
import warnings
from importlib.util import decode_source


@functools.lru_cache(maxsize=256)
def code_hash(source: bytes) -> str:
    """SHA-256 of Python source as it runs, so that a better comment does not cost a new run.

    Comments, strings that are statements by themselves, blank lines and line endings are left
    out; all else counts, also its layout. What does not parse, or reads a docstring, counts as it
    is.
    """
    return hashlib.sha256(source if b"__doc__" in source else _code(source)).hexdigest()


def _code(source: bytes) -> bytes:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # whoever imports the module hears of them
            text = decode_source(source)
            return _bare(text, ast.parse(text))
    except (SyntaxError, ValueError, RecursionError, MemoryError, tokenize.TokenError):
        return source


def _bare(text: str, tree: ast.Module) -> bytes:
    characters = text.split("\n")
    lines = [line.encode() for line in characters]
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            number, column = token.start
            lines[number - 1] = characters[number - 1][:column].rstrip().encode()
    remarks, strings = _strings(tree)
    # The last one first, for what was cut off moves what is behind it.
    for remark in sorted(remarks, key=lambda it: (it.lineno, it.col_offset), reverse=True):
        first, last = remark.lineno - 1, _end(remark) - 1
        rest = lines[last][remark.end_col_offset :]
        lines[first] = lines[first][: remark.col_offset] + rest
        lines[first + 1 : last + 1] = [b""] * (last - first)
    # A line that ends within a string keeps its end.
    whole = {number for string in strings for number in range(string.lineno, _end(string))}
    kept: list[bytes] = []
    for number, line in enumerate(lines, start=1):
        bare = line if number in whole else line.rstrip()
        # Behind a backslash an empty line ends the statement.
        is_continued = bool(kept) and kept[-1].endswith(b"\\")
        if bare or number in whole or is_continued:
            kept.append(bare)
    return b"\n".join(kept)


def _strings(tree: ast.Module) -> tuple[list[ast.Constant], list[ast.expr]]:
    """Give the strings that are statements by themselves, and all others."""
    remarks = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    ]
    others = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes))
    ]
    return remarks, [node for node in others if node not in remarks]


def _end(node: ast.expr) -> int:
    assert node.end_lineno is not None  # ast.parse always says it
    return node.end_lineno
