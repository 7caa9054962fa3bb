"""Finds the one picture that takes a worker process down, so that it ends in quarantine and the night goes on.

Python cannot catch a segmentation fault or an out-of-memory kill: the worker is gone and Spark's job fails, whichever
picture was at fault. The work is then halved by a hash of the URI and each half tried again, until single pictures are
left. Healthy halves keep their results, so a crash costs about twice the wave at most.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F  # noqa: N812 - its usual name

logger = logging.getLogger(__name__)

# More than this many crashing pieces in one wave is no bad picture but a broken installation or too little memory.
MOST_CRASHES = 200
_SIGNS_OF_A_CRASH = ("Python worker exited unexpectedly", "ExecutorLostFailure", "Connection reset", "EOFException")


class TooManyCrashesError(RuntimeError):
    """Workers die on so many pictures that the pictures cannot be to blame."""


@dataclass(frozen=True)
class _Piece:
    """The pictures whose hash leaves `remainder` when divided by `modulus`."""

    modulus: int
    remainder: int

    def of(self, rows: DataFrame) -> DataFrame:
        return rows.where(F.pmod(F.xxhash64("image_uri"), F.lit(self.modulus)) == self.remainder)

    def halves(self) -> tuple[_Piece, _Piece]:
        twice = 2 * self.modulus
        return _Piece(twice, self.remainder), _Piece(twice, self.remainder + self.modulus)


def run_isolated(rows: DataFrame, describe: Callable[[DataFrame, str], None], folder: str) -> list[Row]:
    """Run `describe` over rows in one piece, or in ever smaller ones when workers crash.

    Args:
        rows: what is to be done; needs a column image_uri.
        describe: computes rows and writes the results into the folder it is given, replacing what is there.
        folder: results are written to `part=...` folders below it.

    Returns:
        Rows that crash a worker each on their own; empty on a good night.
    """
    crashed: list[Row] = []
    pieces = [_Piece(1, 0)]
    crashes = 0
    while pieces:
        piece = pieces.pop()
        part = piece.of(rows) if piece.modulus > 1 else rows
        try:
            describe(part, f"{folder}/part={piece.modulus}-{piece.remainder}")
        except Exception as error:
            crashes += 1
            if not _is_crash(error):
                raise
            if crashes > MOST_CRASHES:
                raise TooManyCrashesError(
                    f"worker processes died {crashes} times in one wave; give them more memory, or look for the native "
                    "crash in the workers' logs"
                ) from error
            single = part.limit(2).collect()
            if len(single) == 1:
                logger.warning("a worker process died on %s", single[0]["image_uri"])
                crashed.extend(single)
            else:
                logger.warning("a worker process died; trying halves to find the picture")
                pieces.extend(piece.halves())
    return crashed


def _is_crash(error: Exception) -> bool:
    text = str(error)
    return any(sign in text for sign in _SIGNS_OF_A_CRASH)
