"""Small labelled pictures that are easy to learn: the type by what is drawn, the color by its color."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from models.labelled import LabelledImage, write_labels

TYPES = {"T-Shirt": "apparel/topwear/t-shirt", "Casual Shoes": "footwear/shoes/casual-shoe"}
COLORS = {"Red": (210, 40, 40), "Blue": (40, 60, 200)}


def write_training_pictures(folder: Path, count: int = 120) -> Path:
    """`count` pictures of checkered squares ("T-Shirt") and plain discs ("Casual Shoes"), two colors; labels.csv."""
    generator = np.random.default_rng(5)
    images = []
    (folder / "images").mkdir(parents=True)
    for number in range(count):
        type_, color = list(TYPES)[number % 2], list(COLORS)[number // 2 % 2]
        pixels = np.full((96, 80, 3), 245, np.uint8)
        center = (int(generator.integers(30, 50)), int(generator.integers(38, 58)))
        if type_ == "T-Shirt":
            corner = (center[0] - 22, center[1] - 22)
            cv2.rectangle(pixels, corner, (center[0] + 22, center[1] + 22), COLORS[color], -1)
            for step in range(0, 40, 10):
                cv2.line(pixels, (corner[0] + step, corner[1]), (corner[0] + step, corner[1] + 44), (0, 0, 0), 3)
        else:
            cv2.circle(pixels, center, 22, COLORS[color], -1)
        path = f"images/{number}.png"
        cv2.imwrite(str(folder / path), cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
        split = "val" if number % 5 == 4 else "train"
        images.append(
            LabelledImage(
                folder / path, path, dataset="drawn", split=split, subcategory=type_, color=color, license="Apache-2.0"
            )
        )
    write_labels(folder / "labels.csv", images)
    return folder / "labels.csv"
