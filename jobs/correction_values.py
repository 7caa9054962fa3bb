"""What a person may say of an attribute, and how it is spelled in the tables."""

from __future__ import annotations

import re

from models.label_space import ATTRIBUTE_HEADS, attribute_label
from schemas.attributes import MANY_VALUED, load_attributes
from schemas.corrections import CORRECTABLE
from schemas.taxonomy import load_taxonomy
from udfs.fuse_claims import CATEGORY, VALUE_SEPARATOR, clean
from udfs.text_content import find_net_contents
from udfs.text_line import fold

_LONGEST = 200
_SEPARATORS = re.compile(r"[,;\uff0c\uff1b\u3001]")
_SHARE = re.compile(r"(\d{1,3})\s*%\s*(.+)")


def known_value(attribute: str, text: str) -> str | None:
    """The value that a text stands for, as tables spell it; None when it stands for none.

    Names and synonyms in both languages are understood. An open attribute (brand, size, a new material) takes any text
    of at most 200 characters. Several materials or ways of care are separated by commas, materials may have shares:
    "60% cotton, 40% linen". A net content is an amount with a unit: "0.5 l" is "500 ml".
    """
    if attribute not in CORRECTABLE:
        return None
    if attribute == CATEGORY:
        return load_taxonomy().find(text)
    if attribute in ATTRIBUTE_HEADS and (label := attribute_label(attribute, text)):
        return label
    if attribute not in load_attributes().names or len(text) > _LONGEST:
        return None
    if attribute == "net_content":
        contents = find_net_contents(fold(text))
        return contents[0].value if len(contents) == 1 else None
    if attribute not in MANY_VALUED:
        return _one(attribute, text)
    values = [_with_share(attribute, part) for part in _SEPARATORS.split(text) if part.strip()]
    known = [value for value in values if value is not None]
    return VALUE_SEPARATOR.join(known) if known and len(known) == len(values) else None


def _with_share(attribute: str, text: str) -> str | None:
    share = _SHARE.fullmatch(text.strip()) if attribute == "material" else None
    if share is None:
        return _one(attribute, text)
    value = _one(attribute, share[2])
    return f"{int(share[1])}% {value}" if value is not None and 0 < int(share[1]) <= 100 else None


def _one(attribute: str, text: str) -> str | None:
    dictionary = load_attributes()
    return dictionary.find(attribute, text) or (clean(text) if dictionary.attribute(attribute).open else None)
