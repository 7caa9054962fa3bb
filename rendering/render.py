"""Draws one picture of one product: a pure function of the product and the view's number."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rendering.camera import Camera, develop, encode
from rendering.canvas import Canvas, Light
from rendering.kinds import KINDS, Kind
from rendering.palette_choice import NAMES
from rendering.product import Product
from rendering.scene import background, cast_shadow
from rendering.seeds import between, chance, pick
from rendering.tags import add_tag
from rendering.truth import Box, ImageTruth, Pattern, RenderedImage, TextLine, box_of
from udfs.shape import describe_shape

Array = NDArray[Any]

FRAMES = ((600, 600), (480, 640), (640, 480), (600, 800), (512, 512), (400, 533), (768, 768), (560, 700), (400, 400))
"""Picture sizes, width x height."""

_PRINT_SHARE = 0.015
LEGIBLE_PIXELS = 8.0
"""Lines at least this high (px) can be read."""


@dataclass(frozen=True)
class RenderOptions:
    """Switches for tests and for data sets of a certain kind.

    Args:
        text: draw glyphs; without them nothing else changes.
        camera: apply blur, noise and exposure.
        background: force one kind of background.
        frame: force a picture size.
        encoded: also write the file; without it `data` is empty.
    """

    text: bool = True
    camera: bool = True
    background: str | None = None
    frame: tuple[int, int] | None = None
    encoded: bool = True


@dataclass(frozen=True)
class _Shot:
    """Everything about a picture that is not the product."""

    width: int
    height: int
    background: str
    light: Light
    camera: Camera
    fill: float
    degrees: float
    tilt: tuple[float, float]
    tag: bool
    detail: bool


def render_product(product: Product, view: int = 0, options: RenderOptions | None = None) -> RenderedImage:
    """Draw a product.

    Args:
        product: what to draw.
        view: number of the picture, from 0.
        options: switches.

    Returns:
        Pixels, file, mask and truth. The same arguments give the same bytes.

    Raises:
        KeyError: the product's kind is unknown.
    """
    options = options or RenderOptions()
    kind = KINDS[product.kind]
    view_name = kind.views[view % len(kind.views)]
    shot = _plan(product, kind, view, view_name, options)
    canvas = _draw(product, kind, view_name, shot, options)
    frame = Canvas(shot.width, shot.height, 1.0, shot.light, options.text)
    frame.paste(canvas, _placement(canvas, kind, shot, product.rng("placement", view)))
    mask = frame.alpha > 0.5
    rng = product.rng("background", view)
    scene = background(shot.background, kind.placement, shot.width, shot.height, shot.light, rng)
    strength = between(rng, 0.12, 0.3) if shot.background == "white" else between(rng, 0.3, 0.55)
    if not shot.detail:
        cast_shadow(scene, frame.alpha, kind.placement, shot.light, strength)
    scene *= (1 - frame.alpha)[..., None]
    scene += frame.rgb
    truth_texts, tags = list(frame.texts), [_box(tag) for tag in frame.tags]
    if shot.tag:
        tag_layer = add_tag(scene, box_of(mask), product, kind, view, options.text)
        covered = tag_layer.alpha > 0.5
        mask &= ~covered
        truth_texts = [replace(line, visible=1 - _covered_share(line.quad, covered)) for line in truth_texts]
        truth_texts += tag_layer.texts
        tags += [_box(tag) for tag in tag_layer.tags]
    shares = _color_shares(frame.label, mask)
    truth = ImageTruth(
        product_id=product.product_id, view=view, view_name=view_name, kind=product.kind, category=product.category,
        colors=shares, pattern=_pattern(product, shares), shape=_shape(mask), box=box_of(mask),
        tag_boxes=tuple(_clip(box, shot) for box in tags if _overlaps(box, shot)),
        texts=tuple(_visible(truth_texts, shot)), background=shot.background, width=shot.width, height=shot.height,
    )  # fmt: skip
    return _finish(scene, frame.alpha, mask, truth, shot, product.rng("noise", view), options)


def _plan(product: Product, kind: Kind, view: int, view_name: str, options: RenderOptions) -> _Shot:
    shop = product.rng("shop")
    rng = product.rng("shot", view)
    width, height = options.frame or pick(shop, FRAMES)
    studio = chance(shop, 0.55) if view == 0 else chance(shop, 0.45)
    choices = ("white", "gradient") if studio else ("gradient", "wall", "wood", "textile", "clutter")
    weights = (6.0, 3.0) if studio else (1.0, 2.0, 2.0, 1.5, 2.5)
    place = options.background or pick(rng, choices, weights)
    if kind.placement == "hang" and place in {"wood", "clutter"} and options.background is None:
        place = "wall"
    side = -1 if chance(shop, 0.5) else 1
    light = Light(side * between(rng, 0.35, 0.8), -between(rng, 0.5, 0.9), between(rng, 0.75, 1.15))
    camera = Camera.studio(rng) if studio else Camera.phone(rng)
    free = kind.placement == "lay" and not studio
    lean = between(rng, -14, 14) if free else between(rng, -1.5, 1.5) if kind.placement != "stand" else 0.0
    if view_name == "tilted":
        lean = pick(rng, (-1, 1)) * between(rng, 12, 26)
    tilt = (between(rng, -0.07, 0.07), between(rng, -0.1, 0.03)) if free or view_name == "tilted" else (0.0, 0.0)
    detail = view_name == "detail"
    tag = not detail and kind.tag != "none" and chance(rng, 0.16)
    return _Shot(width, height, place, light, camera, between(rng, 0.66, 0.88), lean, tilt, tag, detail)


def _draw(product: Product, kind: Kind, view_name: str, shot: _Shot, options: RenderOptions) -> Canvas:
    # About as many pixels as the product will have in the picture: fewer blur print, more cost time.
    side = (shot.width * shot.height) ** 0.5 * (1.35 if shot.detail else 1.12)
    pixels = int(min(max(side, 420), 880))
    canvas = Canvas.square(pixels, shot.light, options.text)
    kind.draw(canvas, product, view_name)
    return canvas


def _placement(canvas: Canvas, kind: Kind, shot: _Shot, rng: np.random.Generator) -> Array:
    """Homography from canvas units to pixels of the picture."""
    x0, y0, x1, y1 = (value / canvas.scale for value in box_of(canvas.alpha > 0.5))
    middle = np.array([(x0 + x1) / 2, (y0 + y1) / 2])
    size = min(shot.width * shot.fill / (x1 - x0), shot.height * shot.fill / (y1 - y0))
    target = np.array([shot.width / 2, shot.height / 2]) * (1 + rng.uniform(-0.03, 0.03, 2))
    if shot.detail:
        size *= between(rng, 2.0, 2.7)
        middle = middle + (np.array([x1 - x0, y1 - y0]) * rng.uniform(-0.17, 0.17, 2))
    elif kind.placement == "stand":
        half = (y1 - y0) / 2 * size
        on_floor = shot.background not in {"white", "gradient"}
        base = max(shot.height * 0.53 + half, shot.height * (0.8 if on_floor else 0.6))
        target[1] = min(base, shot.height * 0.94) - half
    corners = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]]) - middle
    angle = np.deg2rad(shot.degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    placed = corners @ turn * size
    depth = 1 + placed[:, 0] / shot.width * shot.tilt[0] * 2 + placed[:, 1] / shot.height * shot.tilt[1] * 2
    placed = placed / depth[:, None] + target
    # Rotation and tilt make the box larger; bring it back inside.
    if not shot.detail:
        frame = np.array([shot.width, shot.height])
        extent = np.ptp(placed, axis=0) / frame
        shrink = min(1.0, 0.96 / float(extent.max()))
        center = (placed.max(axis=0) + placed.min(axis=0)) / 2
        placed = (placed - center) * shrink + center
        low, high = placed.min(axis=0), placed.max(axis=0)
        placed += np.maximum(frame * 0.015 - low, 0) - np.maximum(high - frame * 0.985, 0)
    source = np.float32(corners + middle)  # type: ignore[arg-type]
    matrix: Array = cv2.getPerspectiveTransform(source, np.float32(placed))  # type: ignore[arg-type]
    return matrix


def _color_shares(label: Array, mask: NDArray[np.bool_]) -> tuple[tuple[str, float], ...]:
    counts = np.bincount(label[mask], minlength=256)[: len(NAMES)].astype(np.float64)
    total = max(counts.sum(), 1.0)
    order = np.argsort(-counts)
    return tuple((NAMES[int(i)], float(counts[i] / total)) for i in order if counts[i] / total >= 0.01)


def _pattern(product: Product, shares: tuple[tuple[str, float], ...]) -> Pattern:
    """The pattern that this view shows: a single print is not on the back, and a detail may miss it."""
    single = product.variant == "graphic" or (product.kind == "mug" and product.pattern == "printed")
    others = sum(share for name, share in shares if name != product.colors[0])
    return "solid" if single and others < _PRINT_SHARE else product.pattern


def _shape(mask: NDArray[np.bool_]) -> str | None:
    """Contour class by the definitions in `udfs.shape`, of the true mask; None when the picture cuts the product."""
    if mask[0].any() or mask[-1].any() or mask[:, 0].any() or mask[:, -1].any():
        return None
    return describe_shape(mask)[1]


def _box(quad: Array) -> Box:
    low, high = quad.min(axis=0), quad.max(axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _overlaps(box: Box, shot: _Shot) -> bool:
    return box[0] < shot.width and box[1] < shot.height and box[2] > 0 and box[3] > 0


def _clip(box: Box, shot: _Shot) -> Box:
    return max(box[0], 0.0), max(box[1], 0.0), min(box[2], float(shot.width)), min(box[3], float(shot.height))


def _covered_share(quad: Array, covered: NDArray[np.bool_]) -> float:
    """Share of a quadrilateral that lies under a mask."""
    area = np.zeros(covered.shape, np.uint8)
    cv2.fillPoly(area, [np.rint(quad).astype(np.int32)], 1)
    inside = area > 0
    return float(covered[inside].mean()) if inside.any() else 0.0


def _visible(lines: list[TextLine], shot: _Shot) -> list[TextLine]:
    """Lines at least half of which are in the picture, with their visible share and whether they can be read."""
    frame = np.array([[0, 0], [shot.width, 0], [shot.width, shot.height], [0, shot.height]], np.float32)
    kept = []
    for line in lines:
        quad = line.quad.astype(np.float32)
        area = float(cv2.contourArea(quad))
        if area < 1:
            continue
        inside = float(cv2.intersectConvexConvex(cv2.convexHull(quad), frame)[0]) / area
        height = (np.linalg.norm(quad[3] - quad[0]) + np.linalg.norm(quad[2] - quad[1])) / 2
        seen = min(inside, 1.0) * line.visible
        if seen >= 0.5:
            kept.append(replace(line, visible=seen, legible=bool(height >= LEGIBLE_PIXELS)))
    return kept


def _finish(
    scene: Array, alpha: Array, mask: NDArray[np.bool_], truth: ImageTruth, shot: _Shot, rng: np.random.Generator,
    options: RenderOptions,
) -> RenderedImage:  # fmt: skip
    camera = shot.camera if options.camera else Camera(format="png")
    pixels = develop(scene, camera, rng)
    if camera.cut_out and truth.background == "white" and not shot.tag:
        pixels = np.dstack([pixels, np.clip(alpha * 255 + 0.5, 0, 255).astype(np.uint8)])
    data, extension = encode(pixels, camera) if options.encoded else (b"", "")
    return RenderedImage(pixels, mask, data, extension, truth)
