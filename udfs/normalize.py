"""Turns the image URIs of a feed into their normal form, batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd

from schemas.reasons import ImageError
from schemas.uri import check_allowed, normalize_uri

NORMALIZED_TYPE = "struct<uri: string, reason: string, detail: string>"


def normalize_batch(raw: pd.Series, base: str, allowed_roots: Sequence[str]) -> pd.DataFrame:
    """Normalise a batch of URIs.

    Args:
        raw: strings as the feed spells them; nulls stay null without a reason.
        base: root that relative ones refer to.
        allowed_roots: roots that pictures may be read from.

    Returns:
        Columns uri, reason, detail: either the normal form, or why there is none.
    """
    rows: list[tuple[str | None, str | None, str | None]] = []
    for value in raw:
        if not isinstance(value, str):
            rows.append((None, None, None))
            continue
        try:
            uri = normalize_uri(value, base=base)
            # Links are looked at when the file is opened; here no disk is touched.
            check_allowed(uri, allowed_roots, follow_links=False)
            rows.append((uri, None, None))
        except ImageError as error:
            rows.append((None, error.reason.value, error.detail))
    return pd.DataFrame(rows, columns=["uri", "reason", "detail"], dtype=object)


def normalize_udf(base: str, allowed_roots: Sequence[str]) -> Callable[..., object]:
    """`normalize_batch` as a pandas UDF on one string column, returning `NORMALIZED_TYPE`."""
    from pyspark.sql.pandas.functions import pandas_udf

    roots = tuple(allowed_roots)

    def normalize(raw: pd.Series) -> pd.DataFrame:
        return normalize_batch(raw, base, roots)

    return pandas_udf(normalize, NORMALIZED_TYPE)  # type: ignore[call-overload, no-any-return]
