"""Reason codes: why a feed row or an image ended in quarantine, and whether trying again can help."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """One code per way in which an input can fail; stored in `quarantine.reason`."""

    # A wrong row in the feed.
    NULL_PRODUCT_ID = "null_product_id"
    NULL_IMAGE_URI = "null_image_uri"
    DUPLICATE_ROW = "duplicate_row"
    BAD_VALUE = "bad_value"
    BAD_URI = "bad_uri"
    UNKNOWN_SCHEME = "unknown_scheme"
    OUTSIDE_ALLOWED_ROOTS = "outside_allowed_roots"
    # The bytes could not be had.
    NOT_FOUND = "not_found"
    ACCESS_DENIED = "access_denied"
    THROTTLED = "throttled"
    TIMEOUT = "timeout"
    FETCH_FAILED = "fetch_failed"
    # The bytes are no picture that can be used.
    EMPTY_FILE = "empty_file"
    NOT_AN_IMAGE = "not_an_image"
    UNSUPPORTED_FORMAT = "unsupported_format"
    TRUNCATED = "truncated"
    TOO_LARGE = "too_large"
    TOO_MANY_PIXELS = "too_many_pixels"
    DECODE_FAILED = "decode_failed"
    # Our side failed on a good picture.
    FEATURES_FAILED = "features_failed"
    MODEL_FAILED = "model_failed"
    WORKER_CRASHED = "worker_crashed"

    @property
    def retryable(self) -> bool:
        """Whether the same input may succeed on a later night without being changed."""
        return self in _RETRYABLE

    @property
    def explanation(self) -> str:
        """One sentence for reports: what it means and what to do."""
        return _EXPLANATIONS[self]


# A missing or forbidden object is retryable because uploads race with the feed and permissions get repaired.
_RETRYABLE = frozenset(
    {
        Reason.NOT_FOUND,
        Reason.ACCESS_DENIED,
        Reason.THROTTLED,
        Reason.TIMEOUT,
        Reason.FETCH_FAILED,
        Reason.FEATURES_FAILED,
        Reason.MODEL_FAILED,
        Reason.WORKER_CRASHED,
    }
)

_EXPLANATIONS: dict[Reason, str] = {
    Reason.NULL_PRODUCT_ID: "The feed row has no product_id; give it one.",
    Reason.NULL_IMAGE_URI: "The feed row has no image_uri; give it one.",
    Reason.DUPLICATE_ROW: "The feed has this product_id and image_uri more than once; the newest row was kept.",
    Reason.BAD_VALUE: "A column holds a value that its type cannot; correct it in the feed.",
    Reason.BAD_URI: "The image_uri cannot be parsed; use a path, file:// or s3://bucket/key.",
    Reason.UNKNOWN_SCHEME: "The image_uri's scheme is not supported; use a path, file:// or s3://.",
    Reason.OUTSIDE_ALLOWED_ROOTS: "The image_uri lies outside the allowed roots; move the image or allow its root.",
    Reason.NOT_FOUND: "No such file or object; upload it, it is tried again next night.",
    Reason.ACCESS_DENIED: "Reading was refused; grant access, it is tried again next night.",
    Reason.THROTTLED: "The store asked to slow down until the attempts ran out; tried again next night.",
    Reason.TIMEOUT: "The store did not answer in time; tried again next night.",
    Reason.FETCH_FAILED: "Reading failed for another reason; see the detail, tried again next night.",
    Reason.EMPTY_FILE: "The file has no bytes; upload the picture again.",
    Reason.NOT_AN_IMAGE: "The bytes are not a picture; upload a picture.",
    Reason.UNSUPPORTED_FORMAT: "The picture's format is not supported; use JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF.",
    Reason.TRUNCATED: "The file ends before the picture does; upload it again.",
    Reason.TOO_LARGE: "The file has more bytes than allowed; shrink it or raise the limit.",
    Reason.TOO_MANY_PIXELS: "More pixels than allowed (a decompression bomb?); shrink it or raise the limit.",
    Reason.DECODE_FAILED: "The decoder could not read the picture; see the detail.",
    Reason.FEATURES_FAILED: "Describing the picture failed on our side; see the detail, tried again next night.",
    Reason.MODEL_FAILED: "A model failed on this picture; see the detail, tried again next night.",
    Reason.WORKER_CRASHED: "The worker died on this picture (out of memory or native crash); tried again next night.",
}


class ImageError(Exception):
    """One image cannot be used: carries the reason code and a detail that names what was wrong.

    It becomes a quarantine row; it never fails a job.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason.value}: {detail}")
        self.reason = reason
        self.detail = detail

    def __reduce__(self) -> tuple[type[ImageError], tuple[Reason, str]]:
        return type(self), (self.reason, self.detail)
