"""Locations as people type them (relative paths, `~`, URIs) made into roots."""

from __future__ import annotations

import os
import re

from schemas.uri import normalize_root

_HAS_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:/")


def resolve_location(location: str) -> str:
    """The canonical root of a location; relative paths refer to the working folder.

    Raises:
        ImageError: BAD_URI or UNKNOWN_SCHEME, with a detail that names the location.
    """
    if _HAS_SCHEME.match(location):
        return normalize_root(location)
    return normalize_root(os.path.abspath(os.path.expanduser(location)))  # noqa: PTH100, PTH111 - strings in and out
