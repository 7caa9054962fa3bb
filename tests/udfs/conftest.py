"""Degenerate pictures that every measure must take."""

import numpy as np
import pytest


def _noise(height, width):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


DEGENERATE = {
    "one pixel": np.full((1, 1, 3), 90, np.uint8),
    "one row": _noise(1, 300),
    "one column": _noise(300, 1),
    "two by two": _noise(2, 2),
    "thin": _noise(5, 256),
    "black": np.zeros((192, 256, 3), np.uint8),
    "white": np.full((256, 192, 3), 255, np.uint8),
    "gray": np.full((64, 64, 3), 128, np.uint8),
    "noise": _noise(256, 256),
}


@pytest.fixture(params=list(DEGENERATE), ids=str)
def degenerate(request):
    return DEGENERATE[request.param]
