"""Writes the few marks of Markdown that a description may hold as HTML; all else is text."""

from __future__ import annotations

import html
import re

from benchbase.leaderboard.pages.escaping import terminal_text

_WORDS = r"(?!\s)(?:`[^`]+`|[^*`])+(?<!\s)"
_MARKS = re.compile(
    r"`(?P<code>[^`]+)`"
    r"|\[(?P<link>[^\[\]]+)\]\((?P<to>https?://[^\s()]+)\)"
    rf"|\*\*(?P<strong>{_WORDS})\*\*"
    rf"|\*(?P<em>{_WORDS})\*"
)


def paragraphs(text: str) -> list[str]:
    """Give the paragraphs as HTML: code, emphasis, and links to ``http`` or ``https``.

    Everything is escaped before any mark is read, so that no text can become another tag.
    """
    escaped = html.escape(terminal_text(text))
    return [_inline(part.strip()) for part in re.split(r"\n\s*\n", escaped) if part.strip()]


def _inline(escaped: str) -> str:
    return _MARKS.sub(_tag, escaped)


def _tag(found: re.Match[str]) -> str:
    kind, text = str(found.lastgroup), found[str(found.lastgroup)]
    if kind == "code":
        return f"<code>{text}</code>"
    if kind == "to":
        return f'<a href="{text}" rel="noreferrer">{_inline(found["link"])}</a>'
    return f"<{kind}>{_inline(text)}</{kind}>"
