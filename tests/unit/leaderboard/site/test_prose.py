from __future__ import annotations

import re

import pytest

from benchbase.leaderboard.site.prose import paragraphs


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("`vog-active` is `vog`", "<code>vog-active</code> is <code>vog</code>"),
        ("*few* labels, **no** more", "<em>few</em> labels, <strong>no</strong> more"),
        ("*with `a*b`*", "<em>with <code>a*b</code></em>"),
        ("**see `x`**", "<strong>see <code>x</code></strong>"),
        (
            "[the *data*](https://example.org/a?b=1&c=2)",
            '<a href="https://example.org/a?b=1&amp;c=2" rel="noreferrer">the <em>data</em></a>',
        ),
        ("2 * 3 * 4, and a lone ` or *", "2 * 3 * 4, and a lone ` or *"),
        ('`<b>` & "more"', "<code>&lt;b&gt;</code> &amp; &quot;more&quot;"),
        ("`[a](https://b.c)`", "<code>[a](https://b.c)</code>"),
    ],
)
def test_the_marks_that_are_read(text, html):
    assert paragraphs(text) == [html]


@pytest.mark.parametrize(
    "text",
    [
        "<script>hurt()</script>",
        "[x](javascript:hurt())",
        "[x](data:text/html,hurt)",
        "[x](../secret)",
        '[x](https://a.b"onclick="hurt)',
        "[x](https://a.b'><img src=y>)",
        "*<img src=x onerror=hurt()>*",
        "`</code><script>hurt()</script>`",
        "[[a](https://b.c)](javascript:hurt)",
        "![x](file:///etc/passwd)",
    ],
)
def test_hostile_text_stays_text(text):
    [html] = paragraphs(text)
    tags = re.findall(r"<[^>]*>", html)
    known = r'</?(?:code|em|strong|a)>|<a href="https?://[^"\'<>\s]*" rel="noreferrer">'
    assert all(re.fullmatch(known, tag) for tag in tags), tags


def test_a_blank_line_ends_a_paragraph_and_control_characters_show():
    assert paragraphs("one\ntwo\n \nthree\N{RIGHT-TO-LEFT OVERRIDE}\n") == ["one\ntwo", "three?"]
    assert paragraphs("\n") == []
