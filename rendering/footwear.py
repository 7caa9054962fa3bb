"""Shoes seen from the side, single or as a pair; flip-flops from above."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rendering.canvas import Canvas, Flat
from rendering.outlines import ellipse, outline, rectangle, rotated, shifted, tube
from rendering.palette_choice import Rgb, base_rgb, dimmed, index_of
from rendering.product import Product
from rendering.relief import relief
from rendering.sandals import draw_sandal
from rendering.seeds import between, chance, pick
from rendering.shoe_parts import gloss, laces, piece, stitched, upper_leather
from rendering.text import Ink, write

Array = NDArray[Any]


def draw_shoe(canvas: Canvas, product: Product, view: str) -> None:
    """Draw a shoe; `pair` shows two, `back` the other side."""
    single = Canvas.square(max(int(canvas.width * 0.98), 300), canvas.light, canvas.text_enabled)
    _PAINTERS[product.kind](single, product, product.rng("shape"))
    flip = view == "back"
    if view == "pair":
        _place(canvas, single, 0.80, (74.0, -70.0), False, 0.9)
        _place(canvas, single, 0.86, (-58.0, 36.0), False, 1.0)
    else:
        _place(canvas, single, 1.0, (0.0, 0.0), flip, 1.0)


def _place(canvas: Canvas, shoe: Canvas, size: float, shift: tuple[float, float], flip: bool, dim: float) -> None:
    side = -size if flip else size
    matrix = np.array([[side, 0, 500 - side * 500 + shift[0]], [0, size, 500 - size * 500 + shift[1]], [0, 0, 1]])
    if flip:
        # Mirrored text would be wrong: the other side of the shoe carries none.
        shoe.texts.clear()
    if shift[1] > 0:
        below = canvas.cut(ellipse(500 + shift[0], 720 * size + 500 * (1 - size) + shift[1] - 40, 330, 46), 22)
        canvas.tint(below, opacity=0.4)
    canvas.paste(shoe, matrix, dim)


def _sneaker(canvas: Canvas, product: Product, rng: np.random.Generator) -> None:
    """A sports or casual shoe, toe to the right."""
    high = 0.0 if product.kind == "sports shoe" else pick(rng, (0.0, 0.0, 110.0))
    toe, thick = between(rng, -14, 14), between(rng, 0.85, 1.3)
    fabric = upper_leather(product)
    second = product.plain(1)
    sole_name = pick(rng, ("white", "off white", product.colors[1], "black"), (5, 2, 1, 1))
    sole = Flat(base_rgb(sole_name), index_of(sole_name))
    tongue = [(330, 395 - high, 1), (440, 350 - high, 1), (480, 400 - high * 0.6), (560, 520, 1), (470, 560, 1)]
    piece(canvas, tongue, second, 1.0, 30, dim=0.92)
    inside = [(150, 470 - high * 0.9, 1), (250, 500 - high), (370, 460 - high, 1), (420, 560, 1), (200, 600, 1)]
    piece(canvas, inside, fabric, 0.3, 30, dim=0.5)
    upper = [
        (112, 720, 1),
        (104, 640),
        (120, 540 - high * 0.4),
        (140, 450 - high, 1),
        (200, 478 - high * 0.95),
        (270, 500 - high * 0.85),
        (345, 462 - high * 0.9, 1),
        (400, 440 - high * 0.5),
        (500, 512),
        (620, 580),
        (740, 600 + toe),
        (850, 630 + toe),
        (896, 690),
        (892, 740, 1),
    ]
    body = piece(canvas, upper, fabric, 1.15, 95)
    cap = [
        (700, 594 + toe, 1),
        (790, 606 + toe),
        (868, 644 + toe),
        (897, 696),
        (892, 740, 1),
        (730, 740, 1),
        (690, 680),
    ]
    piece(canvas, cap, second if chance(rng, 0.5) else fabric, 1.1, 50, 0.28)
    heel = [
        (110, 720, 1),
        (104, 640),
        (118, 548 - high * 0.4),
        (134, 500 - high * 0.9, 1),
        (196, 540),
        (220, 640),
        (250, 735, 1),
    ]
    piece(canvas, heel, second, 1.0, 40, 0.28)
    stay = [
        (330, 470 - high * 0.9, 1),
        (362, 452 - high * 0.8),
        (470, 500 - high * 0.2),
        (610, 584),
        (640, 640, 1),
        (560, 640),
        (440, 590 - high * 0.2),
        (350, 560 - high * 0.5, 1),
    ]
    piece(canvas, stay, fabric if chance(rng, 0.6) else second, 0.8, 24, 0.32)
    if product.kind == "sports shoe":
        for number in range(int(rng.integers(1, 4))):
            x = 330 + number * 74
            stripe = [(x, 728, 1), (x + 46, 728, 1), (x + 120, 600, 1), (x + 84, 590, 1)]
            piece(canvas, stripe, second, 0.3, 10, 0.18)
    else:
        write(
            canvas,
            product.brand,
            300,
            640,
            34,
            Ink.of(pick(rng, ("white", "black"))),
            "sans-bold",
            "brand",
            max_width=150,
        )
    lace: Rgb = pick(rng, ((0.96, 0.96, 0.95), (0.12, 0.12, 0.13), product.tones.rgb[1]))
    laces(canvas, (398, 452 - high * 0.8), (602, 588), 5 + int(high > 0), lace)
    stitched(canvas, [(160, 560), (200, 640), (226, 730)], (0.95, 0.95, 0.93))
    gloss(canvas, [(700, 612 + toe), (800, 626 + toe), (862, 668)], 16, 0.28, body)
    _rubber(canvas, sole, thick, toe, rng)


def _rubber(canvas: Canvas, sole: Flat, thick: float, toe: float, rng: np.random.Generator) -> None:
    bottom = 740 + 62 * thick
    ring = outline(
        [
            (98, 706, 1),
            (92, 740),
            (108, bottom - 6),
            (160, bottom, 1),
            (400, bottom - 2),
            (760, bottom, 1),
            (860, bottom - 18),
            (918, 742),
            (906, 700, 1),
            (840, 722),
            (600, 734),
            (300, 730),
            (160, 722),
        ]
    )
    patch = canvas.cut(ring)
    canvas.tint(canvas.cut(shifted(ring, 0, -7), 5), opacity=0.35)
    canvas.fill(patch, sole, relief(patch, canvas, 0.9, 26, 0, 0.14))
    canvas.line([(108, 752), (400, 762), (760, 758), (900, 736)], 4, opacity=0.25, within=patch)
    canvas.line(
        [(112, bottom - 14), (400, bottom - 14), (780, bottom - 14), (890, bottom - 50)],
        6,
        opacity=0.4,
        blur=1,
        within=patch,
    )
    for x in np.arange(150.0, 860.0, 34.0):
        canvas.line([(x, bottom - 12), (x + 5, bottom)], 6, opacity=0.4, within=patch)


def _formal(canvas: Canvas, product: Product, rng: np.random.Generator) -> None:
    """A leather oxford or loafer, toe to the right."""
    fabric = upper_leather(product)
    loafer = product.kind == "loafer"
    point = between(rng, 0, 26)
    inside = [(150, 520, 1), (250, 556), (380, 540, 1), (430, 610, 1), (180, 620, 1)]
    piece(canvas, inside, Flat(base_rgb("tan"), index_of("tan")), 0.3, 30, dim=0.7)
    upper = [
        (118, 730, 1),
        (112, 660),
        (122, 570),
        (140, 515, 1),
        (200, 552),
        (280, 572),
        (372, 535, 1),
        (440, 530),
        (540, 580),
        (680, 628),
        (820, 650),
        (920 + point * 0.6, 700),
        (935 + point, 738, 1),
        (500, 744),
    ]
    body = piece(canvas, upper, fabric, 1.2, 90)
    tones = product.tones.rgb[0]
    thread: Rgb = (min(tones[0] + 0.22, 1), min(tones[1] + 0.18, 1), min(tones[2] + 0.12, 1))
    if loafer:
        strap = [(430, 548, 1), (500, 560), (566, 596, 1), (560, 680), (470, 700, 1), (440, 620)]
        piece(canvas, strap, fabric, 0.9, 18, 0.38)
        canvas.fill(
            shifted(rotated(rectangle(-40, -10, 40, 10, 8), -25), 505, 600),
            Flat(base_rgb("gold"), index_of("gold")),
            1.0,
        )
        stitched(canvas, [(560, 604), (680, 650), (800, 676), (880, 700)], thread)
    else:
        vamp = [(330, 560, 1), (400, 535), (470, 556), (560, 610), (600, 668, 1), (500, 690), (380, 660, 1)]
        piece(canvas, vamp, fabric, 0.7, 16, 0.35)
        laces(canvas, (430, 548), (560, 612), 4, dimmed(tones, 0.6), 9)
        stitched(canvas, [(722, 640), (705, 690), (730, 738)], thread)
        if chance(rng, 0.5):
            for x in np.linspace(722, 712, 6):
                canvas.tint(ellipse(x + 14, 650 + (722 - x) * 8, 3.4, 3.4, samples=8), opacity=0.5)
    stitched(canvas, [(240, 570), (250, 650), (300, 736)], thread)
    gloss(canvas, [(760, 660), (840, 674), (900, 706)], 18, 0.5, body)
    gloss(canvas, [(160, 580), (170, 650), (180, 700)], 16, 0.3, body)
    sole_name = pick(rng, ("black", "coffee", "brown"))
    sole = Flat(base_rgb(sole_name), index_of(sole_name))
    piece(
        canvas,
        [
            (108, 728, 1),
            (300, 742),
            (600, 744),
            (944 + point, 734, 1),
            (940 + point, 756),
            (820, 770),
            (560, 768),
            (340, 764),
            (300, 812, 1),
            (112, 812, 1),
        ],
        sole,
        0.7,
        14,
    )


def _boot(canvas: Canvas, product: Product, rng: np.random.Generator) -> None:
    """An ankle boot: laced, or with elastic at the side."""
    fabric = upper_leather(product)
    top = between(rng, 210, 300)
    chelsea = chance(rng, 0.45)
    inside = ellipse(275, top + 12, 150, 30)
    piece(canvas, inside, fabric, 0.2, 20, dim=0.45)
    upper = [
        (128, 736, 1),
        (118, 640),
        (138, 500),
        (126, top + 10, 1),
        (275, top + 34),
        (428, top + 4, 1),
        (430, 400),
        (448, 500),
        (540, 578),
        (700, 620),
        (830, 640),
        (890, 690),
        (892, 744, 1),
        (500, 746),
    ]
    body = piece(canvas, upper, fabric, 1.2, 100)
    tones = product.tones.rgb[0]
    thread: Rgb = (
        (0.82, 0.68, 0.4)
        if chance(rng, 0.4)
        else (min(tones[0] + 0.2, 1), min(tones[1] + 0.18, 1), min(tones[2] + 0.15, 1))
    )
    if chelsea:
        gore = outline([(230, top + 36, 1), (340, top + 36, 1), (330, 480), (290, 590, 1), (245, 480)])
        piece(canvas, gore, Flat(dimmed(tones, 0.6), index_of(product.colors[0])), 0.5, 14)
        for x in np.arange(240.0, 336.0, 8.0):
            canvas.line([(x, top + 40), (x * 0.5 + 145, 580)], 2.4, opacity=0.3)
        loop = tube([(150, top + 60), (146, top - 30), (172, top - 30), (172, top + 60)], 14)
        piece(canvas, loop, fabric, 0.5, 8)
    else:
        stay = [(360, top + 24, 1), (430, top + 8, 1), (446, 500), (560, 590), (580, 640, 1), (480, 610), (380, 520)]
        piece(canvas, stay, fabric, 0.8, 16, 0.35)
        laces(canvas, (424, top + 50), (424, 440), 4, (0.15, 0.13, 0.12), 12)
        laces(canvas, (452, 500), (548, 580), 3, (0.15, 0.13, 0.12), 12)
        stitched(canvas, [(300, top + 40), (310, 480), (360, 600), (470, 650), (600, 660)], thread)
    stitched(canvas, [(690, 628), (672, 690), (690, 744)], thread)
    gloss(canvas, [(730, 640), (820, 658), (866, 700)], 20, 0.35, body)
    sole_name = pick(rng, ("black", "coffee", "tan"))
    heel = 820.0
    piece(
        canvas,
        [
            (116, 734, 1),
            (400, 746),
            (700, 748),
            (904, 736, 1),
            (904, 776),
            (860, 800),
            (560, 798),
            (390, 796),
            (360, heel, 1),
            (122, heel, 1),
        ],
        Flat(base_rgb(sole_name), index_of(sole_name)),
        0.8,
        16,
    )
    if thread[0] > 0.8:
        canvas.stitches([(120, 740), (400, 752), (700, 754), (896, 744)], thread, 3.4, 8)


def _heel(canvas: Canvas, product: Product, rng: np.random.Generator) -> None:
    """A court shoe with a high heel, toe to the right."""
    fabric = upper_leather(product)
    lift = between(rng, 150, 270)
    base = 800.0
    heel_y = base - lift
    inside = [
        (150, heel_y - 120, 1),
        (260, heel_y - 70),
        (420, heel_y + 10),
        (620, base - 86, 1),
        (560, base - 30, 1),
        (180, heel_y - 20, 1),
    ]
    piece(canvas, inside, Flat(base_rgb("nude"), index_of("nude")), 0.3, 30, dim=0.82)
    upper = [
        (140, heel_y + 10, 1),
        (132, heel_y - 60),
        (146, heel_y - 128, 1),
        (210, heel_y - 62),
        (330, heel_y + 16),
        (470, base - 76),
        (600, base - 92, 1),
        (720, base - 92),
        (840, base - 54),
        (930, base - 8, 1),
        (700, base, 1),
        (560, base - 14),
        (400, heel_y + lift * 0.62),
        (260, heel_y + 36),
    ]
    body = piece(canvas, upper, fabric, 1.2, 55)
    gloss(canvas, [(660, base - 72), (770, base - 58), (860, base - 26)], 15, 0.5, body)
    gloss(canvas, [(160, heel_y - 90), (180, heel_y - 40), (250, heel_y)], 12, 0.35, body)
    slim = between(rng, 10, 34)
    heel = [
        (140, heel_y + 4, 1),
        (250, heel_y + 34, 1),
        (206 + slim * 0.4, heel_y + lift * 0.5),
        (176 + slim, base - 4, 1),
        (150, base - 4, 1),
        (150, heel_y + lift * 0.5),
    ]
    piece(canvas, heel, fabric, 1.0, 18, dim=0.9)
    sole_name = pick(rng, ("black", "tan", "red"))
    piece(
        canvas,
        [
            (690, base - 2, 1),
            (932, base - 10, 1),
            (900, base + 8),
            (690, base + 10, 1),
            (560, base - 6),
            (400, heel_y + lift * 0.65),
            (250, heel_y + 40, 1),
            (400, heel_y + lift * 0.6),
            (560, base - 16),
        ],
        Flat(base_rgb(sole_name), index_of(sole_name)),
        0.3,
        8,
    )
    if chance(rng, 0.35):
        strap = tube(
            [(150, heel_y - 110), (220, heel_y - 170), (330, heel_y - 160), (390, heel_y - 60), (420, heel_y + 10)], 20
        )
        piece(canvas, strap, fabric, 0.8, 9, 0.25)
    if chance(rng, 0.4):
        for side in (-1, 1):
            piece(
                canvas,
                [(668, base - 96, 1), (668 + side * 66, base - 130), (668 + side * 70, base - 76)],
                fabric,
                0.9,
                18,
                0.3,
            )
        canvas.fill(ellipse(668, base - 98, 14, 14), Flat(base_rgb("gold"), index_of("gold")))


_PAINTERS = {
    "casual shoe": _sneaker,
    "sports shoe": _sneaker,
    "formal shoe": _formal,
    "loafer": _formal,
    "boot": _boot,
    "high heel": _heel,
    "sandal": draw_sandal,
}
