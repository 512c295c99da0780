from __future__ import annotations

import hashlib

import pytest

from benchbase.plugins.code import code_hash

SOURCE = '''"""What it is."""

import math

RATE = 0.1
"""What that is."""


class Method:
    """Long story,
    über mehrere Zeilen.
    """

    def weigh(self, x):  # größer ist besser
        """Short."""
        text = """kept\x20\x20\x20

        # no remark
        """
        name = f"{x}"  ; "über"; "two remarks"  # and a third
        return text + name + "# not one either"
'''

UNCHANGED = {
    "comment": ("# größer ist besser", "# anything"),
    "a line more": ("import math\n", "\n# now\n\nimport math  \n"),
    "module": ('"""What it is."""', "'''Another\nthing.'''"),
    "attribute": ('"""What that is."""', '"""Changed."""'),
    "class": ("über mehrere Zeilen.\n    ", ""),
    "function": ('        """Short."""\n', ""),
    "line endings": ("\n", "\r\n"),
    "several of a line": ('"two remarks"', '"one"'),
}
CHANGED = {
    "value": ("0.1", "0.2"),
    "name": ("weigh", "wiegen"),
    "end of a line in a string": ("kept   ", "kept"),
    "blank line in a string": ("kept   \n\n", "kept   \n"),
    "hash in a long string": ("# no remark", "# none"),
    "hash in a string": ("# not one either", "#"),
    "layout": ("        return text", "    return text"),
    "string that is used": ('f"{x}"', 'f"{x} "'),
}


@pytest.mark.parametrize("change", UNCHANGED)
def test_remarks_do_not_count(change):
    old, new = UNCHANGED[change]
    assert old in SOURCE
    changed = SOURCE.replace(old, new)
    assert code_hash(changed.encode()) == code_hash(SOURCE.encode())


@pytest.mark.parametrize("change", CHANGED)
def test_all_else_counts(change):
    old, new = CHANGED[change]
    assert old in SOURCE
    assert code_hash(SOURCE.replace(old, new).encode()) != code_hash(SOURCE.encode())


@pytest.mark.parametrize(
    "source", [b"def f(:  # broken", b"\xff\xfe", b"x = 1\x00", b"x = (" * 2000], ids=repr
)
def test_what_is_no_python_counts_as_it_is(source):
    assert code_hash(source) == hashlib.sha256(source).hexdigest()


def test_an_empty_line_behind_a_backslash_counts():
    joined, ended, remark = (b"x = 1 \\\n" + rest for rest in (b"-2\n", b"\n-2\n", b"# two\n-2\n"))
    assert code_hash(joined) != code_hash(ended) == code_hash(remark)


def test_a_module_that_reads_a_docstring_counts_as_it_is():
    assert code_hash(b'"""1"""\nx = __doc__') != code_hash(b'"""2"""\nx = __doc__')


def test_a_doubtful_escape_changes_nothing(recwarn):
    source = b"x = '\\d'  # digits"
    assert code_hash(source) == code_hash(b"x = '\\d'")
    assert not recwarn.list


def test_an_encoding_is_minded():
    latin, unicode = "# coding: latin-1\nx = 'ü'\n".encode("latin-1"), "x = 'ü'\n".encode()
    assert code_hash(latin) == code_hash(unicode)
