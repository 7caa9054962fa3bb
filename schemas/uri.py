"""URIs of pictures: one canonical spelling per file or object, and the roots they must stay in.

Canonical forms are `file:///absolute/path` and `s3://bucket/key`. A file URI is percent-encoded (RFC 8089), but only
where its meaning would change otherwise: `%`, `?` and `#`; Unicode and blanks stay readable. An S3 key is an opaque
string that stands in the URI exactly as S3 holds it, so nothing in it is encoded, decoded or collapsed.

Normalizing reads nothing from disk or network, so it can run over millions of feed rows. Symbolic links are looked at
only when a root is checked, and the fetcher checks again on the file it has really opened (see `udfs.fetch_local`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote, unquote_to_bytes

from schemas.reasons import ImageError, Reason

MAX_URI_CHARACTERS = 4096
"""Longest URI accepted; Linux paths end there too (PATH_MAX)."""

MAX_S3_KEY_BYTES = 1024
"""Longest S3 key in UTF-8 bytes (Amazon S3 User Guide, "Naming Amazon S3 objects")."""

FILE_PREFIX = "file://"
S3_PREFIX = "s3://"
_S3_SCHEMES = frozenset({"s3", "s3a", "s3n"})
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):")
# Schemes without "//" that no relative path is likely to begin with.
_OPAQUE_SCHEMES = frozenset({"data", "http", "https", "ftp", "blob", "mailto", *_S3_SCHEMES})
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-]{0,254}")
# C0 and C1 controls, DEL, line separators, and lone surrogates, which UTF-8 cannot carry.
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def normalize_uri(raw: str, base: str | None = None) -> str:
    """Bring a picture's address to its canonical form.

    Args:
        raw: an absolute path, a path relative to `base`, `file:/x`, `file:///x`, `s3://`, `s3a://` or `s3n://`.
            Percent-escapes are decoded in file URIs only: in plain paths and S3 keys `%` is a character like others.
        base: root that relative paths are resolved against, `file:///folder` or `s3://bucket/prefix`.

    Returns:
        `file:///absolute/path` (with `.` and `..` collapsed) or `s3://bucket/key`. Normalizing it again
        changes nothing.

    Raises:
        ImageError: BAD_URI (empty, too long, control characters, no bucket or key, relative without a base, leaving an
            S3 base) or UNKNOWN_SCHEME.
    """
    _check_text(raw)
    if raw.startswith("/"):
        return _file_uri(raw, raw)
    if raw.startswith(S3_PREFIX):
        return _s3_uri(raw[len(S3_PREFIX) :], raw)
    scheme = _scheme_in(raw)
    if scheme is None:
        return _resolve_relative(raw, base)
    rest = raw[len(scheme) + 1 :]
    if scheme == "file":
        return _file_uri(_path_of_file_uri(rest, raw), raw)
    if scheme in _S3_SCHEMES:
        if not rest.startswith("//"):
            raise ImageError(Reason.BAD_URI, f"{_show(raw)} needs two slashes: s3://bucket/key")
        return _s3_uri(rest[2:], raw)
    raise ImageError(Reason.UNKNOWN_SCHEME, f"scheme {scheme!r} is not supported; use a path, file:// or s3://")


@lru_cache(maxsize=256)
def normalize_root(raw: str) -> str:
    """Bring a root to its canonical form: as `normalize_uri`, but a bare bucket or `/` will do.

    Args:
        raw: absolute folder, `file:` URI, `s3://bucket` or `s3://bucket/prefix`.

    Returns:
        The canonical root without a trailing slash (`file:///` for the whole file system).

    Raises:
        ImageError: BAD_URI or UNKNOWN_SCHEME, as `normalize_uri`.
    """
    _check_text(raw)
    scheme = _scheme_in(raw)
    if scheme in _S3_SCHEMES:
        bucket, _, prefix = raw[len(scheme) + 1 :].removeprefix("//").partition("/")
        prefix = prefix.rstrip("/")
        if not prefix:
            return S3_PREFIX + _checked_bucket(bucket, raw)
        return _s3_uri(f"{bucket}/{prefix}", raw)
    path = _path_of_file_uri(raw[5:], raw) if scheme == "file" else raw
    if path.startswith("/") and not _collapse(path).strip("/"):
        return FILE_PREFIX + "/"
    return normalize_uri(raw)


def scheme_of(uri: str) -> str:
    """Return `file` or `s3`, the scheme of a canonical URI.

    Raises:
        ImageError: BAD_URI if the URI is not canonical.
    """
    if uri.startswith(FILE_PREFIX + "/"):
        return "file"
    if uri.startswith(S3_PREFIX):
        return "s3"
    raise ImageError(Reason.BAD_URI, f"{_show(uri)} is not canonical; pass it through normalize_uri first")


def local_path_text(uri: str) -> str:
    """Return the path of a canonical `file:///` URI as text; cheaper than `local_path` in loops."""
    if scheme_of(uri) != "file":
        raise ImageError(Reason.BAD_URI, f"{_show(uri)} is not a local file")
    path = uri[len(FILE_PREFIX) :]
    return unquote(path) if "%" in path else path


def local_path(uri: str) -> Path:
    """Return the path of a canonical `file:///` URI.

    Raises:
        ImageError: BAD_URI if it is no canonical file URI.
    """
    return Path(local_path_text(uri))


def s3_location(uri: str) -> tuple[str, str]:
    """Return bucket and key of a canonical `s3://` URI.

    Raises:
        ImageError: BAD_URI if it is no S3 URI, or lacks bucket or key.
    """
    if not uri.startswith(S3_PREFIX):
        raise ImageError(Reason.BAD_URI, f"{_show(uri)} is not an s3:// URI")
    bucket, _, key = uri[len(S3_PREFIX) :].partition("/")
    if not bucket or not key:
        raise ImageError(Reason.BAD_URI, f"{_show(uri)} lacks a bucket or a key")
    return bucket, key


def check_allowed(uri: str, roots: Sequence[str], *, follow_links: bool = True) -> None:
    """Refuse a URI that lies outside the allowed roots.

    A root covers itself and what lies below it, segment by segment: `/data/img` does not cover `/data/img2`.

    Args:
        uri: canonical URI.
        roots: folders or S3 prefixes; none at all means that nothing is refused.
        follow_links: resolve symbolic links of local paths (reads the disk). Without it only the spelling is judged,
            which is what a feed of millions of rows can afford; the fetcher judges the opened file in any case.

    Raises:
        ImageError: OUTSIDE_ALLOWED_ROOTS; BAD_URI if `uri` is not canonical or a root cannot be parsed.
    """
    if not roots:
        return
    if scheme_of(uri) == "file":
        path = _collapse(local_path_text(uri))
        allowed = path_is_allowed(os.path.realpath(path) if follow_links else path, roots)
    else:
        allowed = _s3_is_allowed(uri, roots)
    if not allowed:
        raise outside_roots(uri, roots)


def path_is_allowed(path: str, roots: Sequence[str]) -> bool:
    """Whether an absolute local path without `..` lies in one of the roots, as spelled or with their links resolved."""
    spelled, resolved = _local_roots(tuple(roots))
    return any(_below(path, root) for root in spelled | resolved)


def outside_roots(uri: str, roots: Sequence[str]) -> ImageError:
    """Return the error for a URI outside the roots."""
    return ImageError(Reason.OUTSIDE_ALLOWED_ROOTS, f"{_show(uri)} lies outside {', '.join(roots)}")


@lru_cache(maxsize=64)
def _local_roots(roots: tuple[str, ...]) -> tuple[frozenset[str], frozenset[str]]:
    paths = [local_path_text(root) for root in map(normalize_root, roots) if scheme_of(root) == "file"]
    return frozenset(paths), frozenset(os.path.realpath(path) for path in paths)


def _s3_is_allowed(uri: str, roots: Sequence[str]) -> bool:
    # S3 takes ".." literally, but gateways that keep objects in folders resolve it, out of the prefix or the bucket.
    if "/.." in uri and ".." in uri.split("/"):
        return False
    return any(_below(uri, normalize_root(root)) for root in roots)


def _below(child: str, root: str) -> bool:
    if not child.startswith(root):
        return False
    return len(child) == len(root) or root.endswith("/") or child[len(root)] == "/"


def _check_text(raw: str) -> None:
    if not isinstance(raw, str) or not raw or raw.isspace():
        raise ImageError(Reason.BAD_URI, "the URI is empty")
    if len(raw) > MAX_URI_CHARACTERS:
        raise ImageError(
            Reason.BAD_URI, f"the URI has {len(raw)} characters; at most {MAX_URI_CHARACTERS} are accepted"
        )
    # isprintable is quick, but also false for legal characters such as the ideographic space.
    if not raw.isprintable() and (found := _FORBIDDEN.search(raw)):
        raise ImageError(Reason.BAD_URI, f"control character {found.group()!r} at position {found.start()} of the URI")


def _scheme_in(raw: str) -> str | None:
    """Return the lower-case scheme, or None for a path; a colon inside a file name makes no scheme."""
    match = _SCHEME.match(raw)
    if match is None:
        if raw[0].isspace() and _SCHEME.match(raw.lstrip()):
            raise ImageError(Reason.BAD_URI, f"{_show(raw)} begins with a blank")
        return None
    scheme = match.group(1).lower()
    rest = raw[match.end() :]
    drive_letter = len(scheme) == 1 and rest.startswith(("\\", "/"))
    if rest.startswith("//") or scheme == "file" or scheme in _OPAQUE_SCHEMES or drive_letter:
        return scheme
    return None


def _resolve_relative(raw: str, base: str | None) -> str:
    if base is None:
        raise ImageError(Reason.BAD_URI, f"{_show(raw)} is relative and there is no base to resolve it against")
    root = normalize_root(base)
    if root.startswith(S3_PREFIX):
        segments = [segment for segment in raw.split("/") if segment != "."]
        if ".." in segments:
            raise ImageError(Reason.BAD_URI, f"{_show(raw)} has '..', which S3 keys cannot resolve")
        return _s3_uri(f"{root[len(S3_PREFIX) :]}/{'/'.join(segments)}", raw)
    return _file_uri(f"{local_path_text(root)}/{raw}", raw)


def _path_of_file_uri(rest: str, raw: str) -> str:
    """Return the decoded path of what follows `file:`."""
    if rest.startswith("//"):
        host, _, path = rest[2:].partition("/")
        if host not in ("", "localhost"):
            raise ImageError(Reason.BAD_URI, f"{_show(raw)} names the host {host!r}; file URIs must be local")
        path = "/" + path
    elif rest.startswith("/"):
        path = rest
    else:
        raise ImageError(Reason.BAD_URI, f"{_show(raw)} is a relative file URI; give the absolute path")
    if "%" in path:
        try:
            path = unquote_to_bytes(path).decode("utf-8")
        except UnicodeDecodeError as error:
            raise ImageError(Reason.BAD_URI, f"{_show(raw)} does not decode to UTF-8") from error
        _check_text(path)
    return path


def _file_uri(path: str, raw: str) -> str:
    path = _collapse(path)
    if path == "/":
        raise ImageError(Reason.BAD_URI, f"{_show(raw)} names the root folder, not a file")
    if "%" in path or "?" in path or "#" in path:
        path = path.replace("%", "%25").replace("?", "%3F").replace("#", "%23")
    return FILE_PREFIX + path


def _collapse(path: str) -> str:
    """Collapse `.`, `..` and repeated slashes of an absolute path."""
    if "//" in path or "/." in path or path[-1] == "/":
        return "/" + os.path.normpath(path).lstrip("/")
    return path


def _s3_uri(location: str, raw: str) -> str:
    bucket, _, key = location.partition("/")
    _checked_bucket(bucket, raw)
    if not key:
        raise ImageError(Reason.BAD_URI, f"{_show(raw)} has no key; use s3://bucket/key")
    if len(key) > MAX_S3_KEY_BYTES // 4 and (size := len(key.encode())) > MAX_S3_KEY_BYTES:
        raise ImageError(Reason.BAD_URI, f"the key has {size} bytes; S3 keys have at most {MAX_S3_KEY_BYTES}")
    return f"{S3_PREFIX}{bucket}/{key}"


def _checked_bucket(bucket: str, raw: str) -> str:
    if "@" in bucket:
        # Old Hadoop style key:secret@bucket; the detail must not spread the secret.
        raise ImageError(Reason.BAD_URI, "the URI carries credentials before '@'; remove them")
    if not bucket:
        raise ImageError(Reason.BAD_URI, f"{_show(raw)} has no bucket; use s3://bucket/key")
    if not _BUCKET.fullmatch(bucket):
        raise ImageError(Reason.BAD_URI, f"{bucket[:80]!r} is no valid bucket name")
    return bucket


def _show(uri: str) -> str:
    return repr(uri if len(uri) <= 200 else uri[:197] + "...")
