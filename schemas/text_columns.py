"""Columns that hold text read from a picture and the facts parsed from it.

The dataclasses `udfs.text_line.TextLine` and `udfs.text_field.TextField` have exactly these fields, in this order; a
test holds them together.
"""

from __future__ import annotations

from schemas.contract import Array, Column, Struct

TEXT_LINE = Struct(
    (
        Column("text", "string", "The characters, as read"),
        Column("confidence", "float", "Mean probability of the characters", "0..1"),
        Column("language", "string", "By script: en (Latin letters), zh, other"),
        Column(
            "quad",
            Array("float"),
            "Corners x1, y1, ..., x4, y4, clockwise from the top left as the text reads",
            "px of the upright source image",
        ),
        Column(
            "height_px", "float", "Letter height: mean of the left and right sides", "px of the upright source image"
        ),
    )
)

TEXT_FIELD = Struct(
    (
        Column(
            "name",
            "string",
            "brand, net_content, price, size, material, care, ingredients, nutrition, barcode, best_before, produced, "
            "shelf_life",
        ),
        Column("value", "string", "Normalized value, e.g. '6 x 330 ml', '19.90 CNY', '60% cotton', '2026-05-01'"),
        Column("amount", "float", "Its number: of one unit of a net content, of a price, percent of a material"),
        Column("unit", "string", "g, ml, piece, ISO 4217 code, percent, °C, kJ, day, month; null without a number"),
        Column("count", "int", "Packs of a multipack or pieces of an offer; 1 where nothing is said"),
        Column("confidence", "float", "How clearly it is said, times how clearly the line was read", "0..1"),
        Column(
            "line", "int", "Position in the picture's text lines, from 0; null when read from the bars of a barcode"
        ),
        Column("span_start", "int", "First character of the evidence in that line, from 0"),
        Column("span_end", "int", "End of the evidence in that line, exclusive"),
        Column("evidence", "string", "The characters that say so, as read"),
    )
)

BARCODE = Struct(
    (
        Column("digits", "string", "12 or 13 digits with a right check digit"),
        Column("format", "string", "ean13 or upca"),
        Column("quad", Array("float"), "Corners x1, y1, ..., x4, y4, clockwise", "px of the upright source image"),
    )
)

TEXT_COLUMNS: tuple[Column, ...] = (
    Column("text_lines", Array(TEXT_LINE), "Text read from the picture, in reading order"),
    Column("text_fields", Array(TEXT_FIELD), "Facts parsed from the text, most confident first within each name"),
    Column("barcodes", Array(BARCODE), "Barcodes decoded from their bars"),
    Column(
        "text_status",
        "string",
        "read, no_text (the detector, the gate or the reader saw none), too_small, failed; null, as lines and fields, "
        "when text was not looked for",
    ),
    Column(
        "text_likelihood",
        "float",
        "The gate's belief that the picture holds text; null where regions were given",
        "0..1",
    ),
)
"""Columns of `image_attributes` about text."""
