"""The shape of a board file."""

from __future__ import annotations

import dataclasses
import typing

import msgspec
import pytest

from benchbase.boards.shape import BoardFile, RecipeTable, Table
from benchbase.cell import Recipe


@pytest.mark.parametrize("table", Table.__subclasses__())
def test_every_key_says_what_it_expects(table: type[Table]) -> None:
    for name, annotation in typing.get_type_hints(table, include_extras=True).items():
        assert "description=" in repr(annotation), name


def test_what_does_not_stand_in_a_recipe_is_as_everywhere() -> None:
    assert Recipe(**msgspec.structs.asdict(RecipeTable())) == Recipe()
    assert RecipeTable.__struct_fields__ == tuple(one.name for one in dataclasses.fields(Recipe))


def test_an_empty_file_is_of_the_shape() -> None:
    assert msgspec.convert({}, BoardFile) == BoardFile()
