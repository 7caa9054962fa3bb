"""What people may correct, of which kind of subject."""

from __future__ import annotations

from typing import Final

PICTURE_ATTRIBUTES: Final = (
    *("category", "color", "pattern", "shape", "gender", "season", "usage"),
    *("text_present", "boxes"),
)
"""Of a picture, by content or by URI; models learn from these."""

PRODUCT_ATTRIBUTES: Final = (
    *("category", "color", "pattern", "shape", "gender", "season", "usage"),
    *("age_group", "material", "sleeve_length", "neckline", "fit", "care", "brand", "net_content", "size"),
)
"""Of a product. Price, article numbers and dates are facts of the feed and of the pack: they are corrected there."""

ATTRIBUTES: Final = tuple(dict.fromkeys((*PICTURE_ATTRIBUTES, *PRODUCT_ATTRIBUTES)))
"""Every attribute that may stand in the table `corrections`."""
