"""What of a source file can change a result: all of it but comments, docstrings and blank lines."""

from __future__ import annotations

import ast
import functools
import hashlib
import io
import tokenize
from importlib.util import decode_source


@functools.lru_cache(maxsize=256)
def code_hash(source: bytes) -> str:
    """SHA-256 of Python source as it runs, so that a better comment does not cost a new run.

    Comments, strings that are statements by themselves, blank lines and line endings are left
    out; all else counts, also its layout. What does not parse counts as it is.
    """
    try:
        text = decode_source(source)
        code = _bare(text, ast.parse(text))
    except (SyntaxError, ValueError, RecursionError, MemoryError, tokenize.TokenError):
        code = source
    return hashlib.sha256(code).hexdigest()


def _bare(text: str, tree: ast.Module) -> bytes:
    characters = text.split("\n")
    lines = [line.encode() for line in characters]
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            number, column = token.start
            lines[number - 1] = characters[number - 1][:column].encode()
    remarks, strings = _strings(tree)
    # The last one first, for what was cut off moves what is behind it.
    for remark in sorted(remarks, key=lambda it: (it.lineno, it.col_offset), reverse=True):
        first, last = remark.lineno - 1, _end(remark) - 1
        rest = lines[last][remark.end_col_offset :]
        lines[first] = lines[first][: remark.col_offset] + rest
        lines[first + 1 : last + 1] = [b""] * (last - first)
    # A line that ends within a string keeps its end.
    whole = {number for string in strings for number in range(string.lineno, _end(string))}
    kept = [
        line if number in whole else line.rstrip() for number, line in enumerate(lines, start=1)
    ]
    return b"\n".join(line for number, line in enumerate(kept, start=1) if line or number in whole)


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
