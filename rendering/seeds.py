"""Random generators that depend on nothing but a seed and a name."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """A generator of its own for one purpose, so that a change in one drawing never shifts the others.

    Args:
        seed: the product's or catalogue's seed.
        names: what the numbers are for, e.g. `"shape"` or `"view", 2`.
    """
    text = "/".join(str(part) for part in (seed, *names))
    digest = hashlib.blake2b(text.encode(), digest_size=16).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "little")))


def child_seed(seed: int, *names: str | int) -> int:
    """A 63-bit seed derived from `seed` and names; unlike `generator` it can be stored in a table."""
    text = "/".join(str(part) for part in (seed, *names))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") >> 1


def pick(rng: np.random.Generator, items: Sequence[T], weights: Sequence[float] | None = None) -> T:
    """One of `items`, optionally with relative weights."""
    if weights is None:
        return items[int(rng.integers(len(items)))]
    cumulative = np.cumsum(weights)
    return items[int(np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right"))]


def chance(rng: np.random.Generator, probability: float) -> bool:
    """True with the given probability."""
    return bool(rng.random() < probability)


def between(rng: np.random.Generator, low: float, high: float) -> float:
    """A float uniformly between two bounds."""
    return float(low + (high - low) * rng.random())
