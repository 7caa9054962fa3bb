"""Image embeddings: unit length, so that the dot product is the cosine similarity."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]


def normalize_embeddings(embeddings: Floats) -> Floats:
    """Scale each row (N, dimension) to Euclidean length 1, float32; a zero row stays zero."""
    lengths = np.linalg.norm(embeddings.astype(np.float64), axis=1, keepdims=True)
    return (embeddings / np.where(lengths == 0, 1, lengths)).astype(np.float32)
