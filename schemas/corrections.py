"""What people may correct, of which kind of subject."""

from __future__ import annotations

from typing import Final

_OF_BOTH: Final = ("category", "color", "pattern", "shape", "gender", "season", "usage")

CORRECTABLE_OF_PICTURE: Final = (*_OF_BOTH, "text_present", "boxes")
"""Of a picture, by content or by URI; models learn from these."""

CORRECTABLE_OF_PRODUCT: Final = (
    *_OF_BOTH,
    *("age_group", "material", "sleeve_length", "neckline", "fit", "care", "brand", "net_content", "size"),
)
"""Of a product. Price, article numbers and dates are facts of the feed and of the pack: they are corrected there."""

CORRECTABLE: Final = tuple(dict.fromkeys((*CORRECTABLE_OF_PICTURE, *CORRECTABLE_OF_PRODUCT)))
"""Every attribute that may stand in the table `corrections`."""
