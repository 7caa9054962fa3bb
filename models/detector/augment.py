"""Turns samples into training pictures: moved, cut, pasted before other backgrounds, tagged, and spoiled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from models.detector.geometry import (
    LEAST_LEFT,
    Matrix,
    about_middle,
    box_of,
    fit_matrix,
    move_boxes,
    overlap,
    warp,
    warp_map,
)
from models.detector.samples import ABSENT, PRESENT, UNKNOWN, Boxes, Bytes, Sample, TagArt, as_boxes
from models.detector.surroundings import plain_surface, side_strip, spoil
from models.detector.targets import Targets, make_targets

Generator = np.random.Generator

_PASTE_SHARE, _TAG_SHARE, _SECOND_SHARE = 0.35, 0.3, 0.25
_PLAIN_BACKGROUND_SHARE = 0.4


@dataclass
class Scene:
    """A training picture in the making, all S x S; boxes in px."""

    pixels: Bytes
    product: Bytes
    text: Bytes
    boxes: Boxes | None
    tags: Boxes | None


class Augmenter:
    """Draws training pictures from samples; the same state of the generator gives the same picture."""

    def __init__(self, samples: Sequence[Sample], tags: Sequence[TagArt]) -> None:
        self._samples = samples
        self._tags = tags
        self._cut_outs = [row for row, sample in enumerate(samples) if _may_be_pasted(sample)]

    def picture(self, index: int, side: int, rng: Generator) -> tuple[Bytes, Targets]:
        """A training picture made of sample `index`: (side, side, 3) uint8 RGB and its targets."""
        sample = self._samples[index]
        if _may_be_pasted(sample) and rng.random() < _PASTE_SHARE:
            scene = self._pasted(sample, side, rng)
        else:
            scene = _moved(sample, side, rng)
        if scene.tags is not None and self._tags and rng.random() < _TAG_SHARE:
            _add_tag(scene, self._tags[int(rng.integers(len(self._tags)))], rng)
        if rng.random() < 0.5:
            _flip(scene)
        pixels = spoil(scene.pixels, rng)
        return pixels, make_targets(side, (scene.boxes, scene.tags), scene.product, scene.text)

    def _pasted(self, sample: Sample, side: int, rng: Generator) -> Scene:
        """One or two products, cut out, before a background that they do not come from."""
        scene = _background(self._samples[int(rng.integers(len(self._samples)))], side, rng)
        _paste(scene, sample, rng)
        if rng.random() < _SECOND_SHARE:
            other = self._samples[self._cut_outs[int(rng.integers(len(self._cut_outs)))]]
            _paste(scene, other, rng, beside=True)
        return scene


def _may_be_pasted(sample: Sample) -> bool:
    """Whether the product can be cut out whole; a tag over it would leave a hole."""
    return sample.cut_out and (sample.tags is None or not len(sample.tags))


def _moved(sample: Sample, side: int, rng: Generator) -> Scene:
    """The whole sample, fitted or stretched to the square as in use, then often scaled, shifted and turned."""
    height, width = sample.pixels.shape[:2]
    matrix = fit_matrix(height, width, side, stretch=rng.random() < 0.5)
    if rng.random() < 0.75:
        scale = float(np.exp(rng.uniform(np.log(0.55), np.log(1.5))))
        aspect = float(np.exp(rng.uniform(-0.2, 0.2)))
        angle = float(np.deg2rad(rng.normal(0, 5)))
        reach = 0.12 + 0.3 * abs(scale - 1)
        matrix = about_middle(side, scale * aspect, scale / aspect, angle, rng.uniform(-reach, reach, 2)) @ matrix
    pixels, border = _with_border(sample, rng)
    warped = warp(pixels, matrix, side, border)
    scene = Scene(
        warped,
        warp_map(sample.product, matrix, side),
        warp_map(sample.text, matrix, side),
        None,
        None,
    )
    scene.boxes = move_boxes(sample.boxes, matrix, side, scene.product if sample.cut_out else None)
    scene.tags = move_boxes(sample.tags, matrix, side)
    return scene


def _with_border(sample: Sample, rng: Generator) -> tuple[Bytes, tuple[int, int, int] | None]:
    """The picture, and what lies beyond: white as padding is, its own border color, or any; None repeats its edges."""
    kind = rng.random()
    if kind < 0.45:
        return sample.pixels, (255, 255, 255)
    if kind < 0.7:
        return sample.pixels, None
    if kind < 0.85:
        red, green, blue = (int(value) for value in np.median(sample.pixels[:4].reshape(-1, 3), axis=0))
        return sample.pixels, (red, green, blue)
    red, green, blue = (int(value) for value in rng.integers(0, 256, 3))
    return sample.pixels, (red, green, blue)


def _background(sample: Sample, side: int, rng: Generator) -> Scene:
    """A square without product: a strip beside a sample's product, or a plain, graded or textured surface."""
    strip = None if rng.random() < _PLAIN_BACKGROUND_SHARE else side_strip(sample)
    empty = np.zeros((side, side), np.uint8)
    if strip is None:
        return Scene(plain_surface(side, rng), empty, empty.copy(), as_boxes([]), as_boxes([]))
    rows, columns = strip
    pixels = cv2.resize(sample.pixels[rows, columns], (side, side), interpolation=cv2.INTER_LINEAR)
    text = cv2.resize(sample.text[rows, columns], (side, side), interpolation=cv2.INTER_NEAREST)
    tags = None if sample.tags is None or len(sample.tags) else as_boxes([])
    return Scene(np.asarray(pixels), empty, np.asarray(text), as_boxes([]), tags)


def _paste(scene: Scene, sample: Sample, rng: Generator, *, beside: bool = False) -> None:
    """Lay a sample's product over the scene; `beside` keeps off what is there, or gives up."""
    side = len(scene.product)
    box = box_of(sample.product != ABSENT)
    if box is None or sample.boxes is None:
        return
    for _ in range(4 if beside else 1):
        matrix = _place(box, side, rng, small=beside)
        product = warp_map(sample.product, matrix, side)
        solid = product != ABSENT
        target = box_of(solid)
        full = abs(float(np.linalg.det(matrix[:2, :2]))) * float((sample.product != ABSENT).sum())
        if target is None or solid.sum() < LEAST_LEFT * full:
            continue
        if beside and any(overlap(target, one) > 0.02 for one in (scene.boxes if scene.boxes is not None else [])):
            continue
        cover = cv2.GaussianBlur(solid.astype(np.float32), (0, 0), rng.uniform(0.4, 0.9))[..., None]
        pixels = warp(sample.pixels, matrix, side, None)
        scene.pixels = np.asarray(np.rint(pixels * cover + scene.pixels * (1 - cover)), np.uint8)
        scene.product[solid] = product[solid]
        scene.text[solid] = warp_map(sample.text, matrix, side)[solid]
        if scene.boxes is not None:
            scene.boxes = np.concatenate([scene.boxes, as_boxes([target])])
        scene.tags = None if sample.tags is None else scene.tags
        return


def _place(box: list[float], side: int, rng: Generator, *, small: bool) -> Matrix:
    """Scales, turns and shifts a product's box to somewhere in the square, at times over its edge."""
    x_min, y_min, x_max, y_max = box
    share = rng.uniform(0.2, 0.45) if small else rng.uniform(0.25, 1.1)
    scale = share * side / max(x_max - x_min, y_max - y_min)
    aspect = float(np.exp(rng.uniform(-0.15, 0.15)))
    angle = np.deg2rad(rng.normal(0, 8))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ np.diag(
        [scale * aspect, scale / aspect]
    )
    reach = max(0.0, (1 - share) / 2) + 0.06
    target = side * (0.5 + rng.uniform(-reach, reach, 2))
    matrix = np.eye(3)
    matrix[:2, :2] = turn
    matrix[:2, 2] = target - turn @ np.array([(x_min + x_max) / 2, (y_min + y_max) / 2])
    return matrix


def _add_tag(scene: Scene, art: TagArt, rng: Generator) -> None:
    """Lay a drawn tag over the scene, anywhere, at any plausible size and lean."""
    side = len(scene.product)
    height, width = art.cover.shape
    box = [0.0, 0.0, float(width), float(height)]
    share = rng.uniform(0.12, 0.36)
    scale, angle = share * side / width, np.deg2rad(rng.normal(0, 9))
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = np.eye(3)
    matrix[:2, :2] = turn
    matrix[:2, 2] = side * rng.uniform(0.12, 0.88, 2) - turn @ np.array([(box[2]) / 2, (box[3]) / 2])
    cover = warp(art.cover, matrix, side, (0,)).astype(np.float32)[..., None] / 255
    solid = cover[..., 0] > 0.5
    target = box_of(solid)
    if target is None or solid.sum() < 0.6 * scale**2 * (art.cover > 127).sum():
        return
    pixels = warp(art.pixels, matrix, side, None)
    scene.pixels = np.asarray(np.rint(pixels * cover + scene.pixels * (1 - cover)), np.uint8)
    scene.product[solid] = ABSENT
    # Letters of a small tag cannot be read.
    text = warp_map(art.text, matrix, side)
    scene.text[solid] = np.where(text[solid] == PRESENT, PRESENT if share > 0.16 else UNKNOWN, ABSENT)
    if scene.tags is not None:
        scene.tags = np.concatenate([scene.tags, as_boxes([target])])


def _flip(scene: Scene) -> None:
    scene.pixels, scene.product, scene.text = (
        np.ascontiguousarray(plane[:, ::-1]) for plane in (scene.pixels, scene.product, scene.text)
    )
    scene.boxes, scene.tags = (
        None if boxes is None else _mirrored(boxes, len(scene.product)) for boxes in (scene.boxes, scene.tags)
    )


def _mirrored(boxes: Boxes, side: int) -> Boxes:
    mirrored = boxes.copy()
    mirrored[:, 0], mirrored[:, 2] = side - boxes[:, 2], side - boxes[:, 0]
    return mirrored
