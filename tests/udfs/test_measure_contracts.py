"""The dataclasses that measures return have exactly the fields of the table contract, in its order and types."""

import dataclasses

import pytest

from schemas.image_columns import COLOR, QUALITY, SHAPE, TEXTURE
from udfs.color import ColorShare
from udfs.quality import Quality
from udfs.shape import ShapeDescriptors
from udfs.texture import TextureDescriptors

PYTHON_TYPES = {"float": "float", "int": "int", "string": "str"}


@pytest.mark.parametrize(
    ("dataclass", "struct"),
    [(Quality, QUALITY), (ColorShare, COLOR), (TextureDescriptors, TEXTURE), (ShapeDescriptors, SHAPE)],
    ids=["quality", "color", "texture", "shape"],
)
def test_fields_equal_the_struct(dataclass, struct):
    fields = [(field.name, field.type) for field in dataclasses.fields(dataclass)]
    assert fields == [(column.name, PYTHON_TYPES[column.type]) for column in struct.fields]
