"""How well text, facts and barcodes are read on rendered pictures, and what the gate lets through.

Every picture is read whole, so that the reader's figures do not hang on the gate, which is judged apart; or, as
extraction does it, where the shipped detector sees text (`--where detector`).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import cv2

from benchmarks.engines.workload import shipped_source
from benchmarks.ocr.pictures import LEAST_LETTERS, SEED, VISIBLE, Picture, packs, rendered
from benchmarks.ocr.score import Characters, Facts, score_characters, values, words_found
from models.model_input import Box, Pixels
from schemas.settings import DecodeSettings, TextEngine
from udfs.barcode import read_barcodes
from udfs.decode import decode
from udfs.describe import ready_picture
from udfs.detect import Detections
from udfs.ocr import recognize_texts
from udfs.ocr_sessions import ocr_sessions_for
from udfs.picture_text import text_boxes
from udfs.product_region import detect_each
from udfs.runtime import runtime_for
from udfs.text_fields import parse_fields, parse_text
from udfs.text_likelihood import LEAST_LIKELIHOOD, likely_text

Look: TypeAlias = Callable[[Sequence[Picture]], tuple[list[Pixels], list[list[Box]]]]

FOLDER = Path(__file__).parent
BATCH = 8
_MODULE_PIXELS = 1.0
_EAN13_MODULES = 113


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--with-text", type=int, default=60)
    parser.add_argument("--without-text", type=int, default=48)
    parser.add_argument("--out", type=Path, default=FOLDER / "results", help="folder for accuracy.json")
    parser.add_argument("--engine", choices=["onnxruntime", "openvino"], default="onnxruntime", help="reads lines")
    parser.add_argument("--seed", type=int, default=SEED, help="of the rendered catalogue")
    parser.add_argument("--where", choices=["whole", "detector"], default="whole", help="what is read of a picture")
    parser.add_argument("--packs", type=int, default=0, help="ask for the words of real packs too (development data)")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    look = _by_detector() if given.where == "detector" else _whole
    results = {"where": given.where}
    results |= measure(rendered(given.with_text, given.without_text, given.seed), given.engine, look)
    if given.packs:
        results["words_on_packs"] = _words(packs(most=given.packs), given.engine, look)
    given.out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(results, indent=2, ensure_ascii=False) + "\n"
    (given.out / "accuracy.json").write_text(text, encoding="utf-8")
    sys.stdout.write(text)


def _whole(pictures: Sequence[Picture]) -> tuple[list[Pixels], list[list[Box]]]:
    pixels = [picture.pixels() for picture in pictures]
    return pixels, [[(0.0, 0.0, float(one.shape[1]), float(one.shape[0]))] for one in pixels]


def _by_detector() -> Look:
    """The pictures and places that extraction reads: what the shipped detector takes for text and tags."""
    runtime = runtime_for(shipped_source())

    def look(pictures: Sequence[Picture]) -> tuple[list[Pixels], list[list[Box]]]:
        ready = [ready_picture(decode(picture.path.read_bytes(), DecodeSettings())) for picture in pictures]
        seen = detect_each(ready, runtime)
        return [one.pixels for one in ready], [text_boxes(one) or [] for one in seen if isinstance(one, Detections)]

    return look


def measure(pictures: list[Picture], engine: TextEngine = "onnxruntime", look: Look = _whole) -> dict[str, Any]:
    """All figures over pictures of `rendered`, read where `look` says."""
    with_text = [picture for picture in pictures if picture.has_text]
    sizes = {f"letters_from_{least:g}_px": least for least in (0.0, 8.0, LEAST_LETTERS, 12.0, 16.0)}
    scores: dict[str, dict[str, Characters]] = {name: {} for name in sizes}
    facts = {"price": Facts(), "net_content": Facts()}
    codes = Facts()
    sessions = ocr_sessions_for(engine=engine)
    for start in range(0, len(with_text), BATCH):
        part = with_text[start : start + BATCH]
        pixels, places = look(part)
        readings = recognize_texts(pixels, places, sessions=sessions)
        for picture, one, reading in zip(part, pixels, readings, strict=True):
            for name, least in sizes.items():
                score_characters(picture, reading.lines, scores[name], least)
            fields = parse_fields(reading.lines)
            for name, fact in facts.items():
                asked, possible = _true_values(picture, name)
                fact.add(picture.path.name, asked, possible, values(fields, name))
            _score_barcode(picture, codes, {code.digits for code in read_barcodes(one)})
    return {
        "engine": engine,
        "pictures_with_text": len(with_text),
        "visible_share_asked": VISIBLE,
        "characters": {name: {key: _characters(one) for key, one in found.items()} for name, found in scores.items()},
        "facts": {name: _facts(one) for name, one in {**facts, "barcode_bars": codes}.items()},
        "gate": _gate(pictures),
    }


def _words(pictures: list[Picture], engine: TextEngine, look: Look) -> dict[str, int]:
    found = asked = 0
    for start in range(0, len(pictures), BATCH):
        part = pictures[start : start + BATCH]
        readings = recognize_texts(*look(part), sessions=ocr_sessions_for(engine=engine))
        for picture, reading in zip(part, readings, strict=True):
            counts = words_found(picture, [line.text for line in reading.lines])
            found, asked = found + counts[0], asked + counts[1]
    return {"packs": len(pictures), "found": found, "asked": asked}


def _true_values(picture: Picture, name: str) -> tuple[set[str], set[str]]:
    """Values asked for, and values that also stand in the picture, in letters too small or cut off."""
    lines = [line for line in picture.lines if line.kind == name]
    clear = [line for line in lines if line.asked and line.letter_size >= LEAST_LETTERS]
    asked, possible = (set().union(*(values(parse_text(line.text), name) for line in part)) for part in (clear, lines))
    return asked, possible


def _score_barcode(picture: Picture, codes: Facts, read: set[str]) -> None:
    """Bars of at least a pixel per module are asked for; the number below them tells how wide they are."""
    lines = [line for line in picture.lines if line.kind == "barcode"]
    asked = {line.text for line in lines if line.asked and _width(line.quad) / _EAN13_MODULES * 1.19 >= _MODULE_PIXELS}
    codes.add(picture.path.name, asked, {line.text for line in lines}, read)


def _width(quad: tuple[tuple[float, float], ...]) -> float:
    return float(((quad[1][0] - quad[0][0]) ** 2 + (quad[1][1] - quad[0][1]) ** 2) ** 0.5)


def _gate(pictures: list[Picture]) -> dict[str, Any]:
    passed = [(picture.has_text, likely_text(picture.pixels()).likelihood >= LEAST_LIKELIHOOD) for picture in pictures]
    text = [one for has_text, one in passed if has_text]
    none = [one for has_text, one in passed if not has_text]
    return {
        "threshold": LEAST_LIKELIHOOD,
        "recall": sum(text) / max(len(text), 1),
        "passed_without_text": sum(none) / max(len(none), 1),
        "precision": sum(text) / max(sum(text) + sum(none), 1),
    }


def _characters(one: Characters) -> dict[str, Any]:
    return {
        "accuracy": round(one.accuracy, 4),
        "characters": one.characters,
        "lines": one.lines,
        "missed": one.missed,
        "perfect": one.perfect,
    }


def _facts(one: Facts) -> dict[str, Any]:
    wrong = [[name, sorted(asked), sorted(found)] for name, asked, found in one.examples]
    return {"f1": round(one.f1, 4), "right": one.right, "wrong": one.wrong, "missed": one.missed, "not_right": wrong}


if __name__ == "__main__":
    main()
