"""What each step of extraction costs, in CPU time of one thread, on a catalogue with text on one picture in five.

The contestants take turns: one inference of EfficientNet-Lite0 in fp32, category and embedding alone, the same on the
detector's crop, extraction without text, and extraction. Beside the cost: how often the main color is right on the
rendered pictures.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.engines.model import lite0_fp32
from benchmarks.engines.workload import shipped_source
from benchmarks.ocr.pictures import Picture as KnownPicture
from benchmarks.ocr.pictures import packs, rendered
from benchmarks.results import write_results
from models.session import new_session
from schemas.palette import PALETTE
from schemas.reasons import ImageError
from schemas.settings import DecodeSettings, TextEngine, TextSettings
from udfs.decode import decode
from udfs.describe import Picture, describe_product, ready_picture
from udfs.detect import Detections
from udfs.micro_batch import describe_pictures, model_columns
from udfs.ocr_sessions import TextEngineError, usable_engine
from udfs.picture_text import find_barcodes, read_texts, text_boxes, text_columns
from udfs.product_region import detect_each, look_at
from udfs.runtime import Runtime, runtime_for

FOLDER = Path(__file__).parent
MICRO_BATCH = 16
CLEAR_SHARE = 0.6
_FAMILY = {color.name: color.family for color in PALETTE}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=150)
    parser.add_argument("--packs", type=int, default=0, help="real packs (development data) in place of rendered text")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--engine", choices=["onnxruntime", "openvino"], default="onnxruntime", help="reads lines")
    parser.add_argument("--out", type=Path, default=FOLDER / "results")
    given = parser.parse_args()
    results = run(given.pictures, given.repetitions, given.packs, given.engine)
    write(results, given.out)
    sys.stdout.write(summary(results) + "\n")


def run(pictures: int, repetitions: int, real_packs: int = 0, engine: TextEngine = "onnxruntime") -> dict[str, Any]:
    """Measure.

    Args:
        pictures: of the catalogue.
        repetitions: of each contestant, in turn.
        real_packs: so many of the pictures with text are photos of packs, where the development data are there.
        engine: reads lines of text in `extraction` and the steps; the other is timed beside it where it is usable.
    """
    cv2.setNumThreads(1)
    with_text = pictures // 5
    known = rendered(with_text, pictures - with_text)
    real = packs(most=min(real_packs, with_text)) if real_packs else []
    catalogue = _with_packs(known, real)
    files = [one.path.read_bytes() for one in catalogue]
    runtime = runtime_for(shipped_source())
    lite0 = _lite0()
    contestants: dict[str, Callable[[Sequence[bytes]], object]] = {
        "efficientnet_lite0_fp32_inference": lite0,
        "category_and_embedding": lambda part: _models_alone(part, runtime),
        "category_and_embedding_of_the_product": lambda part: _models_on_crop(part, runtime),
        "without_text": lambda part: _extraction(part, runtime, TextSettings(read=False)),
        "extraction": lambda part: _extraction(part, runtime, TextSettings(engine=engine)),
    }
    others: list[TextEngine] = [one for one in _usable_engines() if one != engine]
    for other in others:
        text = TextSettings(engine=other)
        contestants[f"extraction_with_{other}"] = lambda part, text=text: _extraction(part, runtime, text)
    warm = files[: 2 * MICRO_BATCH]
    for contestant in contestants.values():
        contestant(warm)
    costs: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(repetitions):
        for name, contestant in contestants.items():
            costs[name].append(_cpu_ms(contestant, files))
    medians = {name: statistics.median(values) for name, values in costs.items()}
    steps = [_steps(files, runtime, TextSettings(engine=engine)) for _ in range(repetitions)]
    return {
        "pictures": len(files),
        "text_engine": engine,
        "with_text": with_text,
        "real_packs": len(real),
        "repetitions": repetitions,
        "cpu_ms_per_picture": {name: round(value, 2) for name, value in medians.items()},
        "cpu_ms_per_step": {
            name: round(statistics.median(one[name] for one in steps), 2) for name in steps[0] if steps[0]
        },
        "images_per_second_per_core": round(1e3 / medians["extraction"], 1),
        "extraction_over_efficientnet_lite0_fp32_inference": round(
            medians["extraction"] / medians["efficientnet_lite0_fp32_inference"], 2
        ),
        "extraction_over_category_and_embedding": round(medians["extraction"] / medians["category_and_embedding"], 2),
        "extraction_over_category_and_embedding_of_the_product": round(
            medians["extraction"] / medians["category_and_embedding_of_the_product"], 2
        ),
        "color_on_rendered_truth": _color(known, runtime),
    }


def write(results: dict[str, Any], folder: Path) -> None:
    """Write results.json."""
    write_results(results, folder)


def summary(results: dict[str, Any]) -> str:
    """The outcome in a few lines."""
    lines = [f"{name:>40}: {value:7.2f} ms" for name, value in results["cpu_ms_per_picture"].items()]
    lines += [f"{name:>40}: {value:7.2f} ms" for name, value in results["cpu_ms_per_step"].items()]
    ratio = results["extraction_over_category_and_embedding"]
    of_product = results["extraction_over_category_and_embedding_of_the_product"]
    over_lite0 = results["extraction_over_efficientnet_lite0_fp32_inference"]
    lines.append(
        f"extraction costs {ratio} times category and embedding alone, {of_product} times those of the product, "
        f"{over_lite0} times one inference of EfficientNet-Lite0 in fp32"
    )
    lines.append(f"color: {results['color_on_rendered_truth']}")
    return "\n".join(lines)


def _with_packs(known: list[KnownPicture], real: list[KnownPicture]) -> list[KnownPicture]:
    """The catalogue with its first pictures with text replaced by photos."""
    rest = list(real)
    return [rest.pop() if one.has_text and rest else one for one in known]


def _cpu_ms(contestant: Callable[[Sequence[bytes]], object], files: Sequence[bytes]) -> float:
    started = time.process_time()
    for start in range(0, len(files), MICRO_BATCH):
        contestant(files[start : start + MICRO_BATCH])
    return (time.process_time() - started) * 1e3 / len(files)


def _usable_engines() -> list[TextEngine]:
    try:
        return ["onnxruntime", usable_engine("openvino")]
    except TextEngineError:
        return ["onnxruntime"]


def _lite0() -> Callable[[Sequence[bytes]], object]:
    """One inference of EfficientNet-Lite0 in fp32 at 224 px per picture, without decoding: the yardstick of issue 8."""
    session = new_session(lite0_fp32().read_bytes())
    name = session.get_inputs()[0].name
    pixels = np.random.default_rng(0).integers(0, 256, (MICRO_BATCH, 224, 224, 3), np.uint8)
    return lambda part: session.run(None, {name: pixels[: len(part)]})


def _models_alone(part: Sequence[bytes], runtime: Runtime) -> object:
    inputs = [runtime.prepare(decode(data, DecodeSettings()).pixels) for data in part]
    return [model_columns(_result(one), runtime) for one in runtime.classify_each(np.stack(inputs))]


def _models_on_crop(part: Sequence[bytes], runtime: Runtime) -> object:
    ready = _ready(part)
    looks = [look_at(picture, _seen(one)) for picture, one in zip(ready, detect_each(ready, runtime), strict=True)]
    inputs = [runtime.prepare(picture.pixels, look.box) for picture, look in zip(ready, looks, strict=True)]
    return [model_columns(_result(one), runtime) for one in runtime.classify_each(np.stack(inputs))]


def _extraction(part: Sequence[bytes], runtime: Runtime, text: TextSettings) -> object:
    return describe_pictures(_ready(part), runtime, text)


def _ready(part: Sequence[bytes]) -> list[Picture]:
    return [ready_picture(decode(data, DecodeSettings())) for data in part]


def _steps(files: Sequence[bytes], runtime: Runtime, text: TextSettings) -> dict[str, float]:
    """CPU ms per picture and step; the steps of `udfs.micro_batch`, one by one."""
    spent: dict[str, float] = {}

    @contextmanager
    def step(name: str) -> Iterator[None]:
        started = time.process_time()
        yield
        spent[name] = spent.get(name, 0.0) + time.process_time() - started

    for start in range(0, len(files), MICRO_BATCH):
        with step("decode"):
            decoded = [decode(data, DecodeSettings()) for data in files[start : start + MICRO_BATCH]]
        with step("quality_and_preprocess"):
            ready = [ready_picture(one) for one in decoded]
        with step("detect"):
            seen = [_seen(one) for one in detect_each(ready, runtime)]
        with step("segment"):
            looks = [look_at(picture, one) for picture, one in zip(ready, seen, strict=True)]
        with step("features"):
            for picture, look in zip(ready, looks, strict=True):
                describe_product(picture, look.region)
        with step("models_crop"):
            inputs = [runtime.prepare(picture.pixels, look.box) for picture, look in zip(ready, looks, strict=True)]
        with step("models"):
            results = runtime.classify_each(np.stack(inputs))
        with step("models_read"):
            for result in results:
                model_columns(_result(result), runtime)
        boxes = [text_boxes(one) for one in seen]
        with step("text"):
            readings = read_texts([one.pixels for one in ready], boxes, text)
        with step("text_barcodes"):
            codes = [find_barcodes(one.pixels, its or ()) for one, its in zip(ready, boxes, strict=True)]
        with step("text_facts"):
            for reading, found in zip(readings, codes, strict=True):
                text_columns(reading, found, (1.0, 1.0))
    return {name: seconds * 1e3 / len(files) for name, seconds in spent.items()}


def _color(known: Sequence[KnownPicture], runtime: Runtime) -> dict[str, Any]:
    """How often the main color stated is the truth's largest: by palette name, and by family."""
    verdicts = []
    for start in range(0, len(known), MICRO_BATCH):
        part = known[start : start + MICRO_BATCH]
        ready = _ready([one.path.read_bytes() for one in part])
        for one, picture, detections in zip(part, ready, detect_each(ready, runtime), strict=True):
            truth = json.loads(one.path.with_suffix(".json").read_text(encoding="utf-8"))["colors"]
            stated = describe_product(picture, look_at(picture, _seen(detections)).region)["color"]
            main = max(truth, key=lambda color: float(color["share"]))
            verdicts.append(
                (main["share"] >= CLEAR_SHARE, stated == main["name"], _FAMILY[stated] == _FAMILY[main["name"]])
            )
    clear = [one for one in verdicts if one[0]]
    return {
        "pictures": len(verdicts),
        "name": round(float(np.mean([one[1] for one in verdicts])), 3),
        "family": round(float(np.mean([one[2] for one in verdicts])), 3),
        f"one_color_on_{CLEAR_SHARE:.0%}": len(clear),
        "name_of_these": round(float(np.mean([one[1] for one in clear])), 3) if clear else None,
        "family_of_these": round(float(np.mean([one[2] for one in clear])), 3) if clear else None,
    }


def _seen(detections: Detections | ImageError | None) -> Detections | None:
    if isinstance(detections, ImageError):
        raise detections
    return detections


def _result(result: Any) -> Any:
    if isinstance(result, ImageError):
        raise result
    return result


if __name__ == "__main__":
    main()
