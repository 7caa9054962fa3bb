"""Rendered samples, whose boxes, masks and texts are known exactly."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from models.detector.samples import ABSENT, PRESENT, UNKNOWN, Bytes, Sample, TagArt, as_boxes, shrink, shrink_factor
from rendering.catalog import product_at
from rendering.render import RenderOptions, render_product
from rendering.seeds import child_seed, generator
from rendering.tags import draw_tag
from rendering.truth import RenderedImage, TextLine

TRAIN_SEED, VAL_SEED, TEST_SEED = 41, 42, 43
"""Catalogues of their own, so that no product is in two splits."""

_VIEWS = 4
_TAG_PIXELS = 200


def rendered_image(seed: int, index: int) -> RenderedImage:
    """Picture `index` of a catalogue: one view of product `index`, the views in turn."""
    view = child_seed(seed, "view", index) % _VIEWS
    return render_product(product_at(seed, index), view, RenderOptions(encoded=False))


def rendered_sample(seed: int, index: int) -> Sample:
    """Picture `index` of a catalogue as a sample."""
    return as_sample(rendered_image(seed, index))


def as_sample(image: RenderedImage) -> Sample:
    """A rendered picture, its box, tags and text lines at the size of a sample."""
    truth = image.truth
    scale = shrink_factor(truth.height, truth.width)
    return Sample(
        pixels=shrink(on_white(image.pixels)),
        product=shrink(image.mask.astype(np.uint8) * PRESENT, exact=True),
        text=shrink(text_map(truth.texts, truth.height, truth.width), exact=True),
        boxes=as_boxes([truth.box], scale),
        tags=as_boxes(truth.tag_boxes, scale),
        source="rendered",
        cut_out=truth.view_name != "detail",
    )


def on_white(pixels: Bytes) -> Bytes:
    """RGB as it is; RGBA laid on white."""
    if pixels.shape[2] == 3:
        return pixels
    alpha = pixels[..., 3:].astype(np.float32) / 255
    return np.asarray(np.rint(pixels[..., :3] * alpha + 255 * (1 - alpha)), np.uint8)


def text_map(lines: tuple[TextLine, ...], height: int, width: int) -> Bytes:
    """(H, W) uint8: PRESENT on lines that can be read, UNKNOWN on those too small or mostly hidden."""
    text = np.full((height, width), ABSENT, np.uint8)
    for line in sorted(lines, key=lambda one: one.legible):
        value = PRESENT if line.legible else UNKNOWN
        cv2.fillConvexPoly(text, np.rint(line.quad).astype(np.int32), value)
    return text


def drawn_tags(seed: int, count: int) -> list[TagArt]:
    """Price tags without a scene, to be pasted over any picture."""
    tags = []
    for index in range(count):
        canvas = draw_tag(product_at(seed, index), generator(seed, "tag", index), _TAG_PIXELS, text=True)
        cover = canvas.alpha
        pixels = np.clip(canvas.rgb / np.maximum(cover, 1e-3)[..., None], 0, 1)
        lines = tuple(replace(line, quad=line.quad * canvas.scale) for line in canvas.texts)
        text = text_map(lines, *cover.shape)
        tags.append(TagArt(np.rint(pixels * 255).astype(np.uint8), np.rint(cover * 255).astype(np.uint8), text))
    return tags
