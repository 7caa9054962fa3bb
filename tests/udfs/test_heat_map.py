"""Heat maps lie where the product is that the label speaks of, and follow the label."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jobs.enroll import enroll_type
from models.bundle import SHIPPED_BUNDLE, load_bundle
from models.model_input import input_window, model_input
from rendering.catalog import make_product
from rendering.render import RenderOptions, render_product
from rendering.truth import RenderedImage
from udfs.explain import heat_inside
from udfs.heat_map import HeatMap, HeatMapError, HeatMapper, Target
from udfs.runtime import Runtime

SIDE = 320


def rendered(kind: str, seed: int = 5) -> RenderedImage:
    options = RenderOptions(background="white", camera=False, encoded=False, frame=(SIDE, SIDE))
    return render_product(make_product(kind, seed, "P1"), 0, options)


def whole(pixels: np.ndarray) -> tuple[float, float, float, float]:
    height, width = pixels.shape[:2]
    return (0.0, 0.0, float(width), float(height))


@pytest.fixture(scope="module")
def mapper() -> HeatMapper:
    return HeatMapper(Runtime(load_bundle(SHIPPED_BUNDLE)))


def test_heat_lies_on_the_product(mapper: HeatMapper) -> None:
    """Not a quarter of each picture, but most of the heat; and more by half than the product's share of the picture."""
    shares, areas = [], []
    for kind in ("t-shirt", "sports shoe", "backpack", "dress", "mug"):
        picture = rendered(kind)
        heat = mapper.map(picture.pixels, whole(picture.pixels), [Target("category", picture.truth.category)])[0]
        assert heat.method == "activations"
        shares.append(heat_inside(heat, picture.mask))
        areas.append(float(picture.mask.mean()))
    assert np.mean(shares) > 0.6
    assert np.mean(shares) > 1.5 * np.mean(areas)


@pytest.mark.parametrize(("left", "right"), [("casual shoe", "t-shirt"), ("mug", "backpack"), ("banana", "handbag")])
def test_heat_follows_the_label(mapper: HeatMapper, left: str, right: str) -> None:
    """Of two products side by side, each label lights up its own."""
    pictures = [rendered(left), rendered(right)]
    pixels = np.concatenate([picture.pixels for picture in pictures], axis=1)
    heats = mapper.map(pixels, whole(pixels), [Target("category", picture.truth.category) for picture in pictures])
    on_left = [half(heat, pixels) for heat in heats]
    assert on_left[0] > 0.85
    assert on_left[1] < 0.15


def half(heat: HeatMap, pixels: np.ndarray) -> float:
    """Share of the heat on the left half."""
    spread = heat.on_picture(*pixels.shape[:2])
    return float(spread[:, : pixels.shape[1] // 2].sum() / spread.sum())


def test_places_add_up_to_the_odds(mapper: HeatMapper) -> None:
    """Between two labels of a head that has only two, the parts of all places are the odds, but for a constant."""
    task = mapper._runtime.classify_task
    head = next(head for head in task.heads if head.name == "text_present")
    parts, odds = [], []
    for kind in ("t-shirt", "cereal box", "mug", "milk carton"):
        pixels = rendered(kind).pixels
        heat = mapper.map(pixels, whole(pixels), [Target("text_present", "yes")])[0]
        parts.append(float(heat.values.mean()))
        odds.append(float(np.log(heat.probability / (1 - heat.probability))))
    constants = np.subtract(odds, parts)
    # The pooled features and the logits are rounded to 8 bits on their way.
    assert np.ptp(constants) < 0.25 / head.temperature
    assert np.ptp(odds) > 1


def test_a_label_and_all_others_are_each_other_s_opposite(mapper: HeatMapper) -> None:
    pixels = rendered("dress").pixels
    yes, no = mapper.map(pixels, None, [Target("text_present", "yes"), Target("text_present", "no")])
    np.testing.assert_allclose(yes.values, -no.values, rtol=1e-4, atol=1e-4)
    assert yes.probability + no.probability == pytest.approx(1, abs=1e-5)


def test_a_department_is_all_below_it(mapper: HeatMapper) -> None:
    pixels = rendered("t-shirt").pixels
    shirt, topwear, apparel = mapper.map(
        pixels,
        None,
        [Target("category", path) for path in ("apparel/topwear/t-shirt", "apparel/topwear", "apparel")],
    )
    assert shirt.probability <= topwear.probability <= apparel.probability <= 1


@pytest.mark.parametrize(
    "target", [Target("category", "apparel/top"), Target("color", "octarine"), Target("smell", "rose")]
)
def test_an_unknown_target_is_named(mapper: HeatMapper, target: Target) -> None:
    with pytest.raises(HeatMapError, match=target.attribute if target.attribute == "smell" else target.value):
        mapper.map(rendered("mug").pixels, None, [target])


def test_heat_is_placed_where_the_model_looked(mapper: HeatMapper) -> None:
    pixels = np.full((200, 300, 3), 255, np.uint8)
    pixels[40:147, 180:287] = rendered("t-shirt").pixels[::3, ::3]
    heat = mapper.map(pixels, (180, 40, 287, 147), [Target("category", "apparel")])[0]
    spread = heat.on_picture(200, 300)
    assert spread.shape == (200, 300) and spread.dtype == np.float32
    assert spread.min() >= 0 and spread.max() == pytest.approx(1)
    x_min, y_min, x_max, y_max = heat.window
    assert spread[:, : int(x_min)].sum() == spread[: int(y_min)].sum() == spread[int(np.ceil(y_max)) :].sum() == 0
    assert x_max <= 300


def test_a_map_without_evidence_is_cold() -> None:
    heat = HeatMap(Target("color", "red"), np.full((7, 7), -1, np.float32), (0, 0, 10, 10), "activations", 0.0)
    assert not heat.on_picture(10, 10).any()
    assert heat_inside(heat, np.ones((10, 10), bool)) == 0


@pytest.mark.parametrize("resize", ["stretch", "crop", "pad"])
def test_the_window_is_what_the_model_is_shown(mapper: HeatMapper, resize: str) -> None:
    """A bright spot in the picture appears in the input at the place that the window says."""
    spec = mapper._runtime.classify_task.input.model_copy(update={"resize": resize})
    pixels = np.zeros((400, 200, 3), np.uint8)
    pixels[206:214, 96:104] = 255
    box = (40.0, 120.0, 160.0, 300.0)
    shown = model_input(pixels, box, spec)
    x_min, y_min, x_max, y_max = input_window(400, 200, box, spec)
    rows, columns = np.nonzero(shown[..., 0] > 128)
    # Padding is white.
    inside = np.abs(columns - spec.width / 2) < spec.width / 4
    x = x_min + (columns[inside].mean() + 0.5) / spec.width * (x_max - x_min)
    y = y_min + (rows[inside].mean() + 0.5) / spec.height * (y_max - y_min)
    assert (x, y) == pytest.approx((100, 210), abs=1.5)


def test_an_enrolled_type_gets_its_map_by_covering(tmp_path: Path) -> None:
    """No head knows it, so no activations tell; of two products side by side its own is found."""
    files = []
    for seed in (1, 2, 3):
        files.append(tmp_path / f"{seed}.png")
        Image.fromarray(rendered("umbrella", seed).pixels).save(files[-1])
    bundle, enrolled = enroll_type(
        *(load_bundle(SHIPPED_BUNDLE), "Umbrella", files, tmp_path / "bundle"), false_claims=0.2, expected_share=0.5
    )
    pixels = np.concatenate([rendered("umbrella", 1).pixels, np.full((SIDE, SIDE, 3), 255, np.uint8)], axis=1)
    heat = HeatMapper(Runtime(bundle)).map(pixels, whole(pixels), [Target("category", enrolled.path)])[0]
    assert heat.method == "occlusion"
    assert half(heat, pixels) > 0.6
