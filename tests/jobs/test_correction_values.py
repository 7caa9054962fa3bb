"""What a person types becomes what the tables say, or is refused."""

from __future__ import annotations

import pytest

from jobs.correction_values import known_value


@pytest.mark.parametrize(
    ("attribute", "text", "value"),
    [
        ("category", "tomatoes", "groceries/vegetables/tomato"),
        ("color", "Grey", "gray"),
        ("gender", "Men's", "men"),
        ("neckline", "V neck", "v-neck"),
        ("neckline", "round and square", None),
        ("age_group", "kids", "kids"),
        ("brand", "  Kind\nof  Blue ", "Kind of Blue"),
        ("brand", "\u200b", None),
        ("brand", "x" * 201, None),
        ("size", "XL", "XL"),
        ("material", "Baumwolle", "Baumwolle"),
        ("material", "60% Cotton, 40 % 亚麻", "60% cotton, 40% linen"),
        ("material", "棉、亚麻", "cotton, linen"),
        ("material", "400% cotton", None),
        ("material", " , ", None),
        ("net_content", "0.5 L", "500 ml"),
        ("net_content", "6 x 330 ml", "6 x 330 ml"),
        ("net_content", "a lot", None),
        ("net_content", "500 g and 1 kg", None),
        ("price", "9.99", None),
        ("is_active", "true", None),
    ],
)
def test_words_of_people_are_understood(attribute: str, text: str, value: str | None) -> None:
    assert known_value(attribute, text) == value
    if value is not None:
        assert known_value(attribute, value) == value, "what is stored is what would be stored again"
