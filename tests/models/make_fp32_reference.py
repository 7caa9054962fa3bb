"""Writes fp32_reference.npz: outputs of the fp32 model for photos that scikit-image carries.

Run with the `train` extra: `python tests/models/make_fp32_reference.py`. Needed again only when the weights change.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from skimage import data

from models.export_imagenet import INPUT, export_fp32
from models.model_input import model_input
from models.quantize import run_model

PHOTOS = ("astronaut", "chelsea", "coffee", "rocket")


def main() -> None:
    pictures = [model_input(getattr(data, name)(), None, INPUT) for name in PHOTOS]
    logits, embeddings = run_model(export_fp32(), pictures)
    np.savez_compressed(
        Path(__file__).with_name("fp32_reference.npz"),
        photos=np.array(PHOTOS),
        logits=logits.astype(np.float16),
        embeddings=embeddings.astype(np.float16),
    )


if __name__ == "__main__":
    main()
