"""Small Spark queries side by side: each mostly waits for the store and for Spark's planning."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

# More gain nothing: Spark plans under a lock, and a store answers a few at a time well.
AT_ONCE = 4

Item = TypeVar("Item")
Answer = TypeVar("Answer")


def side_by_side(function: Callable[[Item], Answer], items: Iterable[Item]) -> list[Answer]:
    """Call a function for each item, a few at a time.

    Returns:
        The answers, in the items' order.

    Raises:
        Exception: what the first failing call raised, once the others that had begun are done.
    """
    with ThreadPoolExecutor(max_workers=AT_ONCE) as threads:
        return list(threads.map(function, items))
