"""Facts parsed from text lines: what shops and packages write, in English and Chinese."""

import dataclasses
import time

import pytest

from schemas.contract import Array
from schemas.text_columns import BARCODE, TEXT_FIELD, TEXT_LINE
from udfs.barcode import Barcode
from udfs.text_codes import check_digit, is_gtin
from udfs.text_field import TextField
from udfs.text_fields import parse_fields, parse_text, plain_line
from udfs.text_line import TextLine, fold, language_of
from udfs.text_money import CurrencyDefaults
from udfs.text_numbers import parse_number


def values(text, name, least=0.5, **options):
    return [field.value for field in parse_text(text, **options) if field.name == name and field.confidence >= least]


def line_at(text, left, top, right, bottom, confidence=1.0):
    quad = (left, top, right, top, right, bottom, left, bottom)
    return TextLine(text, confidence, language_of(text), tuple(map(float, quad)), float(bottom - top))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("¥19.90", "19.90 CNY"),
        ("￥ 1,299.00", "1299.00 CNY"),
        ("会员价 29.9元/斤", "29.90 CNY per 斤"),
        ("$12.99", "12.99 USD"),
        ("€12,99", "12.99 EUR"),
        ("12,99 €", "12.99 EUR"),
        ("1.299,00 €", "1299.00 EUR"),
        ("12,90 kr", "12.90 SEK"),
        ("1 299 kr", "1299.00 SEK"),
        ("kr 25.00", "25.00 SEK"),
        ("Jmf pris 25,90 kr/kg", "25.90 SEK per kg"),
        ("£3", "3.00 GBP"),
        ("25:-", "25.00"),
        ("2 for 5", "2 for 5.00"),
        ("2 for $5", "2 for 5.00 USD"),
        ("3件99元", "3 for 99.00 CNY"),
        ("3 för 20:-", "3 for 20.00"),
        ("S12.99", "12.99 USD"),
    ],
)
def test_price(text, value):
    assert values(text, "price") == [value]


@pytest.mark.parametrize("text", ["12:30", "2026.05", "6901234567892", "SPF 50", "100%", "11月24日 星期二", "v1.25"])
def test_no_price(text):
    assert values(text, "price") == []


def test_ambiguous_currency_signs_follow_the_shop():
    danish = CurrencyDefaults(dollar="CAD", yen="JPY", krona="DKK")
    assert values("$5 ¥300 12,50 kr", "price", currency=danish) == ["5.00 CAD", "300.00 JPY", "12.50 DKK"]


def test_old_and_new_price_are_both_found():
    assert sorted(values("Was $20.00 now $15.50", "price")) == ["15.50 USD", "20.00 USD"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("6 x 330 ml", "6 x 330 ml"),
        ("6×330毫升", "6 x 330 ml"),
        ("330毫升×6罐", "6 x 330 ml"),
        ("250ml*12瓶", "12 x 250 ml"),
        ("4 pack of 250 ml", "4 x 250 ml"),
        ("净含量：1.5升", "1500 ml"),
        ("净含量:500克", "500 g"),
        ("规格500克", "500 g"),
        ("2公斤", "2000 g"),
        ("5斤装", "2500 g"),
        ("750ML", "750 ml"),
        ("0,75l", "750 ml"),
        ("℮ 33cl", "330 ml"),
        ("1.299 kg", "1299 g"),
        ("1,000 g", "1000 g"),
        ("12 fl oz", "354.882 ml"),
        ("NET WT 12 OZ (340g)", "340 g"),
        ("100 tablets", "100 pieces"),
        ("30片装", "30 pieces"),
        ("10 PCS", "10 pieces"),
    ],
)
def test_net_content(text, value):
    assert values(text, "net_content") == [value]


@pytest.mark.parametrize(
    "text",
    [
        "每100克",
        "per 100 g",
        "Protein 3 g",
        "保质期：12个月",
        "5G wifi",
        "SPF 50",
        "24小时",
        "2026年5月12日",
        "3件99元",
    ],
)
def test_no_net_content(text):
    assert values(text, "net_content") == []


def test_multipack_has_amount_unit_and_count():
    field = parse_text("6 x 330 ml")[0]
    assert (field.amount, field.unit, field.count) == (330.0, "ml", 6)


def test_an_amount_in_a_nutrition_row_is_no_net_content():
    lines = [
        line_at("蛋白质 Protein", 10, 100, 120, 112),
        line_at("12 g", 200, 101, 230, 113),
        line_at("250 g", 100, 20, 140, 40),
    ]
    assert [one.value for one in parse_fields(lines) if one.name == "net_content" and one.confidence >= 0.5] == [
        "250 g"
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("60% cotton 40% polyester", ["60% cotton", "40% polyester"]),
        ("60%cotton/40%polyester", ["60% cotton", "40% polyester"]),
        ("面料：棉60% 聚酯纤维40%", ["60% cotton", "40% polyester"]),
        ("棉 60% 涤纶 40%", ["60% cotton", "40% polyester"]),
        ("60%棉 40%涤纶", ["60% cotton", "40% polyester"]),
        ("100%纯棉", ["100% cotton"]),
        ("95 % Bomull, 5 % Elastan", ["95% cotton", "5% elastane"]),
        ("Fabric: linen", ["linen"]),
        ("Pure New Wool", ["wool"]),
    ],
)
def test_material(text, expected):
    assert values(text, "material") == expected


@pytest.mark.parametrize("text", ["棉花糖", "Sit down", "100% satisfaction", "cottonwood 5"])
def test_no_material(text):
    assert values(text, "material") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Size: M", "M"),
        ("SIZE XXL", "2XL"),
        ("尺码：170/92A", "170/92A"),
        ("Storlek 38", "38"),
        ("EU 42", "EU 42"),
        ("UK 8.5", "UK 8.5"),
        ("38码", "38"),
        ("L", "L"),
        ("均码", "one size"),
    ],
)
def test_size(text, expected):
    assert values(text, "size") == [expected]


@pytest.mark.parametrize("text", ["LOVE", "It's", "l'eau", "MEDIUM ROAST", "US $42", "eu 2026"])
def test_no_size(text):
    assert values(text, "size") == []


def test_care():
    assert values("Machine wash cold. Do not bleach, tumble dry low", "care") == [
        "machine wash",
        "do not bleach",
        "tumble dry",
    ]
    assert set(values("水温不超过30℃ 不可漂白 平摊晾干", "care")) == {"wash at 30 °C", "do not bleach", "dry flat"}


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("Best before: 12.05.2026", "best_before", "2026-05-12"),
        ("EXP 05/2026", "best_before", "2026-05"),
        ("BB 25/12/26", "best_before", "2026-12-25"),
        ("Best before 12/25/2026", "best_before", "2026-12-25"),
        ("Best before 3 Dec 2026", "best_before", "2026-12-03"),
        ("保质期至2026年5月12日", "best_before", "2026-05-12"),
        ("有效期至20260512", "best_before", "2026-05-12"),
        ("生产日期：2025/11/03", "produced", "2025-11-03"),
        ("保质期：12个月", "shelf_life", "12 months"),
        ("Best before: see lid", "best_before", "present"),
    ],
)
def test_dates(text, name, expected):
    assert values(text, name) == [expected]


def test_both_dates_on_one_line():
    fields = {one.name: one.value for one in parse_text("MFG 03/11/2025 EXP 03/11/2026")}
    assert (fields["produced"], fields["best_before"]) == ("2025-11-03", "2026-11-03")


@pytest.mark.parametrize("text", ["Best before 31/02/2026", "EXP 99/99/2026"])
def test_a_date_that_does_not_exist_is_only_a_mention(text):
    assert values(text, "best_before") == ["present"]


def test_ingredients_and_nutrition():
    assert values("Ingredients: Orange juice, vitamin C", "ingredients") == ["Orange juice, vitamin C"]
    assert values("配料：橙汁、维生素C", "ingredients") == ["橙汁、维生素C"]
    assert values("能量 Energy 1200 kJ", "nutrition") == ["energy 1200 kJ"]
    assert values("营养成分表", "nutrition") == ["present"]
    assert values("棉花糖", "nutrition") == []


@pytest.mark.parametrize("text", ["6 901234 567892", "6901234567892", "EAN 6901234567892", "69O1234567892"])
def test_printed_barcode(text):
    assert values(text, "barcode") == ["6901234567892"]


@pytest.mark.parametrize("text", ["6901234567893", "20260512", "1234", "00000000"])
def test_wrong_check_digit_is_no_barcode(text):
    assert values(text, "barcode") == []


def test_check_digit_of_published_examples():
    # GS1's and Wikipedia's examples: EAN-13 4006381333931, UPC-A 036000291452, EAN-8 73513537.
    assert is_gtin("4006381333931") and is_gtin("036000291452") and is_gtin("73513537")
    assert (
        not is_gtin("4006381333930") and not is_gtin("40063813339311234") and not is_gtin("４００６３８１３３３９３１")
    )
    with pytest.raises(ValueError, match="digits"):
        check_digit("12a")


def test_decoded_barcode_is_reported_once_and_without_a_line():
    code = Barcode("6901234567892", "ean13", (0.0,) * 8)
    fields = [one for one in parse_fields([plain_line("6 901234 567892")], barcodes=[code]) if one.name == "barcode"]
    assert [(one.value, one.line, one.span_start) for one in fields] == [("6901234567892", None, None)]


def test_known_brand_wins_over_the_largest_line():
    lines = [line_at("WEEKEND CLUB", 0, 0, 200, 40), line_at("Norvane", 0, 50, 60, 60)]
    assert [(one.value, one.line) for one in parse_fields(lines, brands=["NORVANE"]) if one.name == "brand"] == [
        ("NORVANE", 1)
    ]


@pytest.mark.parametrize(
    ("text", "brands", "expected"),
    [
        ("KESTREL&PINE", ["Kestrel & Pine"], ["Kestrel & Pine"]),
        ("GREENHOLL0W", ["GREENHOLLOW"], ["GREENHOLLOW"]),
        ("诺梵 NORVANE", ["诺梵"], ["诺梵"]),
        ("Havnmore", ["Havn"], []),
        ("Orbit", ["ORBIN"], []),
    ],
)
def test_known_brand(text, brands, expected):
    assert values(text, "brand", brands=brands) == expected


def test_largest_line_is_guessed_with_low_confidence():
    lines = [
        line_at("500 g", 0, 0, 99, 60),
        line_at("Morning Acre", 0, 70, 99, 100),
        line_at("oat cookies", 0, 110, 99, 120),
    ]
    brand = next(one for one in parse_fields(lines) if one.name == "brand")
    assert brand.value == "Morning Acre" and brand.confidence < 0.4


def test_evidence_is_the_span_of_the_line_as_read():
    text = "促销　会员价：￥１９.９０ 元旦"
    field = next(one for one in parse_text(text) if one.name == "price")
    assert text[field.span_start : field.span_end] == field.evidence == "￥１９.９０"
    assert field.value == "19.90 CNY"


def test_confidence_falls_with_that_of_the_line():
    sure, unsure = (parse_fields([line_at("¥19.90", 0, 0, 9, 9, c)])[0].confidence for c in (1.0, 0.6))
    assert unsure == pytest.approx(0.6 * sure, abs=1e-3)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\x00\x01\x02",
        "مرحبا ١٢٫٥ كجم",
        "שלום 5",
        "🙂" * 50,
        "ﷺ" * 20,
        "İ" * 9,
        "-" * 200,
        "% % %",
        "1" * 400,
        "2/0/0",
        "９" * 30,
    ],
)
def test_odd_text_gives_fields_with_valid_spans(text):
    for field in parse_text(text):
        assert field.line is not None
        line = text.splitlines()[field.line]
        assert line[field.span_start : field.span_end] == field.evidence


@pytest.mark.parametrize("unit", ["1 ", "1,1", "9" * 9 + " ", "a1x", "2x", "100% cotton ", "12.12.12 ", "$", "5 for "])
def test_ten_thousand_characters_take_no_time_to_speak_of(unit):
    start = time.process_time()
    parse_text((unit * 10_000)[:10_000], brands=["NORVANE", "Kestrel & Pine"])
    # No timing benchmark: a pattern that backtracks without end would take minutes.
    assert time.process_time() - start < 20


def test_fold_keeps_the_length():
    text = "ＡＢＣ，½ ﬁ İ ß ㎏ ＋～×"
    assert len(fold(text)) == len(text)
    assert fold("￥１２，Ｌ") == "¥12,l"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Oat cookies", "en"), ("燕麦饼干 Oat", "zh"), ("ありがとう", "other"), ("日本の茶", "other"), ("123", "other"),
        ("مرحبا", "other"), ("한국어", "other"), ("Привет", "other"), ("Färsk mjölk", "en"), ("", "other"),
    ],
)  # fmt: skip
def test_language_by_script(text, language):
    assert language_of(text) == language


@pytest.mark.parametrize(
    ("text", "number"),
    [("1,299", 1299), ("1.299,50", 1299.5), ("0,125", 0.125), ("12,5", 12.5), ("1 299 000", 1299000), ("7", 7)],
)
def test_numbers(text, number):
    assert parse_number(text) == number


def test_not_a_number():
    assert parse_number("1.2.3.4") is None and parse_number("") is None


PYTHON_TYPES = {
    "float": {"float", "float | None"},
    "int": {"int", "int | None"},
    "string": {"str", "str | None", "Script", "FieldName", "Symbology"},
}


@pytest.mark.parametrize(
    ("dataclass", "struct"),
    [(TextLine, TEXT_LINE), (TextField, TEXT_FIELD), (Barcode, BARCODE)],
    ids=["line", "field", "code"],
)
def test_fields_equal_the_struct(dataclass, struct):
    fields = dataclasses.fields(dataclass)
    assert [one.name for one in fields] == [column.name for column in struct.fields]
    for one, column in zip(fields, struct.fields, strict=True):
        expected = {"Quad"} if isinstance(column.type, Array) else PYTHON_TYPES[column.type]
        assert one.type in expected
