"""The report page: what a person reads on it, and that hostile feed text stays text."""

from __future__ import annotations

import html
import io
import itertools
import json
import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest
from PIL import Image
from playwright.sync_api import expect

from jobs.report import render_report, script_json, write_report
from jobs.report_data import FlowPart, StageRun, flows_of
from jobs.report_text import clean, file_size, hex_color, number, percent, utc_time
from jobs.report_thumbnail import THUMBNAIL_BYTES, ThumbnailError, make_thumbnail
from tests.chromium import open_chromium
from tests.jobs.report_rows import NIGHT, RUN, draw_picture, picture, report_data, stage_runs

HOSTILE = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
ARABIC = "قميص قطن أزرق \u202egnp.exe"


class PageText(HTMLParser):
    """Collects the visible text, the tags and the attributes of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self._hidden = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self._hidden = tag

    def handle_endtag(self, tag):
        if tag == self._hidden:
            self._hidden = ""

    def handle_data(self, data):
        if not self._hidden:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def hostile_pictures():
    titles = [HOSTILE, ARABIC, "👗🎉 Summer dress 夏日连衣裙", "A" * 10_000, None, "\x00\x1b[2J\ud800 broken"]
    return tuple(picture(title, seed=seed) for seed, title in enumerate(titles))


def test_the_page_names_run_status_and_figures():
    text = PageText(render_report(report_data((picture("Red shirt"),)))).text
    assert RUN in text
    assert "Published as #12" in text
    assert "23 Nov 2026, 02:14 UTC" in text
    assert "pictures per second 41.3" in text
    assert "quarantined share" in text
    assert "shop-1" in text
    assert "6dd13e3a8f2c" in text


def test_the_books_balance_on_the_page():
    text = PageText(render_report(report_data())).text
    assert "3 + 1 + 6 + 2 = 12: adds up" in text
    assert "1 + 1 + 1 + 6 = 9: adds up" in text


def test_a_lost_picture_is_shown_as_lost():
    stages = tuple(
        StageRun(stage.stage, stage.status, NIGHT, counts={**stage.counts, "images": 11}) for stage in stage_runs()
    )
    text = PageText(render_report(report_data(stages=stages, flows=flows_of(stages)))).text
    assert "1 + 1 + 1 + 6 is not 11: 2 unaccounted for" in text


def test_a_failed_stage_says_why_on_top():
    stages = (*stage_runs()[:2], StageRun("publish", "failed", NIGHT, error="quarantined share 40%, <expected> 25%"))
    page = render_report(report_data(stages=stages))
    text = PageText(page).text
    assert "Failed" in text
    assert "publish failed: quarantined share 40%, <expected> 25%" in text
    assert text.index("publish failed") < text.index("Feed rows")


def test_a_picture_is_shown_with_what_was_seen_in_it():
    page = render_report(report_data((picture("Red shirt", confidence=0.87),)))
    content = PageText(page)
    for seen in ("Red shirt", "T-shirt T恤", "87%", "red 红色", "80%", "solid", "round", "Acme · Tops · 19.90"):
        assert seen in content.text, seen
    images = [values for tag, values in content.elements if tag == "img"]
    assert images[0]["src"].startswith("data:image/webp;base64,")
    assert images[0]["alt"] == "red solid t-shirt: Red shirt"
    boxes = [values for tag, values in content.elements if tag == "rect" and values.get("class") == "over"]
    assert (boxes[0]["x"], boxes[0]["y"], boxes[0]["width"], boxes[0]["height"]) == ("60.0", "80.0", "180.0", "240.0")


def test_an_unsure_category_is_not_presented_as_fact():
    text = PageText(render_report(report_data((picture("Thing", category=None, confidence=0.31),)))).text
    assert "Not sure" in text
    assert "Best guess: T-shirt" in text


def test_a_picture_that_could_not_be_read_says_so():
    text = PageText(
        render_report(report_data((picture("Gone", thumbnail=None, note="not_found: no <such> file"),)))
    ).text
    assert "not_found: no <such> file" in text


def test_quarantine_is_grouped_with_what_to_do():
    text = PageText(render_report(report_data())).text
    assert text.index("31 bad uri needs a change") < text.index("1 not found tried again next night")
    assert "use a path, file:// or s3://bucket/key" in text
    assert "<b>http//x</b>" in text
    assert "30 more in the table quarantine" in text
    assert "failed on 2 nights" in text


def test_feed_text_never_becomes_markup():
    page = render_report(report_data(hostile_pictures()))
    content = PageText(page)
    assert HOSTILE in content.text.replace("\n", " ")
    tags = [tag for tag, _ in content.elements]
    assert tags.count("script") == 2, "the data and our own script"
    assert tags.count("img") == len(hostile_pictures())
    assert not any(name.startswith("on") for _, values in content.elements for name in values)
    assert "A" * 1300 not in page
    assert "(10,000 characters)" in page
    assert "\x00" not in page
    page.encode("utf-8")


def test_the_page_loads_nothing():
    page = render_report(report_data((picture("Red shirt"),)))
    content = PageText(page)
    for tag, values in content.elements:
        for name in ("src", "href", "srcset", "action", "data", "poster"):
            value = values.get(name)
            assert value is None or value.startswith(("data:", "#")), f"<{tag} {name}={value}>"
        assert "@import" not in page
    assert not re.search(r"url\(", page)


def test_json_in_a_script_cannot_end_it():
    value = {"title": "</script><!-- \u2028 & <script>"}
    text = script_json(value)
    assert not re.search(r"[<>&\u2028]", text)
    assert json.loads(text) == value


def test_the_same_data_gives_the_same_page():
    data = report_data((picture("Red shirt"),))
    assert render_report(data) == render_report(data)


def test_an_empty_run_still_makes_a_page():
    data = report_data(stages=(), flows=(), publication=None, quarantine=(), quarantine_counts={}, distributions={})
    text = PageText(render_report(data)).text
    assert "No pictures have been described yet." in text
    assert "Nothing is in quarantine." in text


def test_nulls_in_a_row_are_no_problem():
    nulls = dict.fromkeys(
        (
            "quality",
            "region",
            "colors",
            "category_candidates",
            "labels",
            "texture",
            "step_ms",
            "pattern",
            "color",
            "shape",
        )
    )
    bare = picture("Bare", category=None, attributes=nulls, product=None, product_count=0)
    assert "Untitled" in PageText(render_report(report_data((bare,)))).text


def test_writing_replaces_the_page_as_a_whole(tmp_path):
    path = tmp_path / "reports" / "night.html"
    write_report(path, report_data((picture("Old"),)))
    write_report(path, report_data((picture("New 新"),)))
    assert "New 新" in path.read_text(encoding="utf-8")
    assert [item.name for item in path.parent.iterdir()] == ["night.html"]


def test_three_hundred_pictures_stay_below_six_megabytes():
    # The thumbnail of a noisy photo at its byte limit stands for the worst case.
    noise = Image.effect_noise((480, 480), 90).convert("RGB")
    buffer = io.BytesIO()
    noise.save(buffer, "JPEG", quality=95)
    thumbnail = make_thumbnail(buffer.getvalue())
    one = picture("A fairly long title of a product as shops write them, 2026 edition", thumbnail=thumbnail)
    page = render_report(report_data((one,) * 300, picture_count=300))
    assert len(page.encode()) < 6_000_000 + 300 * 4 / 3 * max(0, len(thumbnail) - THUMBNAIL_BYTES)


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
def test_thumbnails_of_every_format(format_):
    thumbnail = Image.open(io.BytesIO(make_thumbnail(draw_picture("#c8202f", 600, 400, format_))))
    assert thumbnail.format == "WEBP"
    assert thumbnail.size == (240, 160)
    red, green, _ = thumbnail.convert("RGB").getpixel((120, 80))
    assert red > 150 > 100 > green


def test_thumbnails_stand_upright_and_transparency_is_white():
    image = Image.new("RGB", (40, 20), "white")
    image.paste((200, 0, 0), (0, 0, 20, 20))
    exif = image.getexif()
    exif[0x0112] = 6  # rotate by 90 degrees clockwise to view
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", exif=exif, quality=95)
    upright = Image.open(io.BytesIO(make_thumbnail(buffer.getvalue()))).convert("RGB")
    assert upright.size == (20, 40)
    assert upright.getpixel((10, 5))[1] < 60 < 200 < upright.getpixel((10, 35))[1]

    clear = io.BytesIO()
    Image.new("RGBA", (10, 10), (0, 0, 0, 0)).save(clear, "PNG")
    assert min(Image.open(io.BytesIO(make_thumbnail(clear.getvalue()))).convert("RGB").getpixel((5, 5))) > 250


def test_sixteen_bit_gray_is_scaled_not_clipped():
    image = Image.new("I;16", (10, 10), 0x8000)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    assert Image.open(io.BytesIO(make_thumbnail(buffer.getvalue()))).convert("L").getpixel((5, 5)) == pytest.approx(
        128, abs=4
    )


@pytest.mark.parametrize(
    "data", [b"", b"not a picture", draw_picture("red")[:900], draw_picture("red", format_="PNG")[:200]]
)
def test_broken_pictures_are_named_not_raised_as_anything(data):
    with pytest.raises(ThumbnailError):
        make_thumbnail(data)


def test_flows_leave_out_what_was_not_counted():
    flow = flows_of([StageRun("ingest", "succeeded", NIGHT, counts={"feed_rows": 5, "rows_rejected": 2})])[0]
    assert flow.parts == (FlowPart("rows_rejected", 2),)
    assert flow.difference == 3


def test_text_helpers():
    assert clean("a\x00b\n c\ud800") == "a b c"
    assert clean("x" * 20, 10) == "xxxxxxxxxx… (20 characters)"
    assert hex_color("#12abEF") == "#12abEF"
    assert hex_color("red;background:url(x)") == "#888888"
    assert [percent(share) for share in (0.0, 0.004, 0.625, 1.0, None)] == ["0%", "<1%", "62%", "100%", ""]
    assert [number(value) for value in (None, 12345, 0.1234, 4.567, 234.5, float("nan"))] == [
        "–", "12,345", "0.123", "4.57", "234", "–"
    ]  # fmt: skip
    assert [file_size(size) for size in (999, 52_340, 4_200_000)] == ["999 B", "52 kB", "4.2 MB"]
    assert utc_time(datetime(2026, 11, 23, 3, 14, tzinfo=UTC) + timedelta(hours=1)) == "23 Nov 2026, 04:14 UTC"


@pytest.fixture(scope="module")
def browser():
    with open_chromium() as chromium:
        yield chromium


@pytest.fixture
def open_page(browser, tmp_path):
    """Opens a report in the browser; fails on script errors and on any request but for the page itself."""
    contexts = []
    troubles = []

    def open_(data, width=1280, scheme="light"):
        path = write_report(tmp_path / "report.html", data)
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda message: troubles.append(message.text))
        page.on(
            "request",
            lambda request: request.url.startswith(("data:", path.as_uri())) or troubles.append(request.url),
        )
        page.goto(path.as_uri())
        return page

    yield open_
    for context in contexts:
        context.close()
    assert troubles == []


def shop():
    """Pictures to filter: four T-shirts of two colors, a handbag, an unsure one."""
    shirts = [picture(f"Shirt {n}", seed=n, color="navy" if n % 2 else "red") for n in range(4)]
    bag = picture("Leather Handbag", "accessories/bags-and-wallets/handbag", seed=10, confidence=0.42)
    return (*shirts, bag, picture("Mystery", None, seed=11, confidence=0.2, is_new=True))


def titles(page):
    return page.locator(".card:visible h3").all_inner_texts()


def test_filters_find_pictures(open_page):
    page = open_page(report_data(shop()))
    page.select_option("#f-category", "apparel")
    assert len(titles(page)) == 4
    page.select_option("#f-color", "navy")
    assert titles(page) == ["Shirt 1", "Shirt 3"]
    assert page.inner_text("#shown") == "2 of 6 pictures"
    page.click("#clear")
    assert len(titles(page)) == 6
    page.check("#f-unsure")
    assert titles(page) == ["Leather Handbag", "Mystery"]
    page.uncheck("#f-unsure")
    page.check("#f-new")
    assert titles(page) == ["Mystery"]
    page.uncheck("#f-new")
    page.fill("#f-text", "LEATHER s3://shop")
    assert titles(page) == ["Leather Handbag"]
    page.fill("#f-text", "no such thing")
    assert page.is_visible("#nothing")


def test_a_bar_filters_the_pictures(open_page):
    page = open_page(report_data(shop()))
    page.click("button[data-filter=color][data-value=navy]")
    expect(page.locator(".card:visible")).to_have_count(2)
    page.click("button[data-filter=category][data-value=unsure]")
    expect(page.locator(".card:visible")).to_have_count(1)
    assert titles(page) == ["Mystery"]


def test_details_by_keyboard(open_page):
    page = open_page(report_data(shop()))
    page.locator(".shot").first.focus()
    page.keyboard.press("Enter")
    dialog = page.locator("#dialog")
    assert dialog.is_visible()
    text = dialog.inner_text()
    for seen in (
        "Shirt 0",
        "T-shirt T恤",
        "jersey",
        "31%",
        "#c8202f",
        "SHA-256",
        "P-0",
        "sharpness",
        "symmetry",
        "19.90",
    ):
        assert seen.lower() in text.lower(), seen
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#d-title") == "Shirt 1"
    page.keyboard.press("Escape")
    assert not dialog.is_visible()
    assert page.evaluate("document.activeElement.closest('.card').dataset.index") == "1", "focus is back on the card"


def with_text(*lines, title="Pasta"):
    """A picture in which these lines were read, with a price, a tag and a barcode."""
    read = [
        {
            "text": text,
            "confidence": 0.97,
            "language": "en",
            "quad": [70.0, top, 200.0, top, 200.0, top + 15.0, 70.0, top + 15.0],
            "height_px": 15.0,
        }
        for top, text in zip(itertools.count(90.0, 20.0), lines, strict=False)
    ]
    price = {"name": "price", "value": "19.90 CNY", "confidence": 0.91, "evidence": lines[0], "line": 0}
    tag = {"label": "tag", "box": {"x_min": 60.0, "y_min": 80.0, "x_max": 210.0, "y_max": 160.0}, "score": 0.8}
    code = {"digits": "4006381333931", "format": "ean13", "quad": [10.0, 350.0, 60.0, 350.0, 60.0, 380.0, 10.0, 380.0]}
    seen = {"text_lines": read, "text_fields": [price], "detections": [tag], "barcodes": [code], "text_status": "read"}
    return picture(title, attributes=seen)


def test_text_is_shown_with_its_places_and_facts(open_page):
    page = open_page(report_data((with_text("¥19.90", "意大利面"), picture("Shirt", seed=1))))
    card = page.locator(".card").first
    assert "19.90 CNY" in card.inner_text()
    assert card.locator("polygon.line").count() == 3, "two lines and a barcode"
    assert card.locator("polygon.tag").get_attribute("points") == "60.0,80.0 210.0,80.0 210.0,160.0 60.0,160.0"
    page.fill("#f-text", "意大利面")
    assert titles(page) == ["Pasta"], "pictures are found by the text in them"
    card.locator(".shot").click()
    text = page.locator("#dialog").inner_text()
    assert "意大利面" in text
    assert "19.90 CNY, 91% sure" in text
    assert "2 lines read" in text
    page.locator("#dialog .scores li", has_text="意大利面").hover()
    lit = page.locator("#dialog polygon.lit")
    assert lit.get_attribute("points").startswith("70.0,110.0 "), "the line that is pointed at is lit in the picture"


def test_hostile_text_in_a_picture_does_nothing(open_page):
    page = open_page(report_data((with_text(HOSTILE, ARABIC, "A" * 10_000, "\x00\x1b[2J\ud800"),)))
    page.locator(".shot").first.click()
    assert "<script>document.title" in page.locator("#dialog").inner_text(), "shown as the characters that were read"
    assert page.title() != "owned"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_more_pictures_on_demand(open_page):
    one = picture("Shirt")
    page = open_page(report_data((one,) * 75))
    assert page.locator(".card:visible").count() == 60
    page.click("#more")
    assert page.locator(".card:visible").count() == 75
    assert not page.is_visible("#more")


def test_hostile_titles_do_nothing_in_a_browser(open_page):
    page = open_page(report_data(hostile_pictures()))
    for index in range(len(hostile_pictures())):
        page.locator(".shot").nth(index).click()
        page.click("#d-close")
    page.locator(".shot").first.click()
    assert page.inner_text("#d-title") == HOSTILE
    assert page.title() == f"Vitrine run {RUN}"
    assert page.evaluate("document.querySelectorAll('#dialog script').length") == 0


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_nothing_is_wider_than_the_screen(open_page, width):
    page = open_page(report_data((*hostile_pictures(), *shop())), width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator(".shot").nth(3).click()
    assert page.evaluate("document.getElementById('dialog').scrollWidth") <= width


CONTRAST = """() => {
  const channels = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const luminance = (rgb) => {
    const linear = (c) => (c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4);
    const [r, g, b] = rgb.slice(0, 3).map((c) => linear(c / 255));
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = channels(getComputedStyle(at).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const poor = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent.trim().slice(0, 30);
    if (!text || element.closest("script, style, .hidden, [hidden], option, dialog")) continue;
    const [a, b] = [luminance(channels(getComputedStyle(element).color)), luminance(ground(element))];
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) poor.push(`${ratio.toFixed(2)} ${element.className} ${text}`);
  }
  return poor;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_has_the_contrast_that_wcag_aa_asks_for(open_page, scheme):
    broken = picture("Blurry", seed=20, attributes={"quality": {"score": 0.1, "sharpness": 0.05}})
    stages = (*stage_runs(), StageRun("maintain", "failed", NIGHT, error="refused"), StageRun("x", "running", NIGHT))
    page = open_page(report_data((*shop(), broken), stages=stages), scheme=scheme)
    assert page.evaluate(CONTRAST) == []


def test_the_page_reads_without_scripts(browser, tmp_path):
    path = write_report(tmp_path / "report.html", report_data(shop()))
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(path.as_uri())
    assert page.locator(".card").count() == 6
    assert page.get_by_text("Filters and details need JavaScript").is_visible()
    context.close()


def test_html_is_escaped_exactly_once():
    page = render_report(report_data((picture("Tom & Jerry's <3"),)))
    assert html.escape("Tom & Jerry's <3", quote=False).replace("'", "&#39;") in page
    assert "&amp;amp;" not in page
