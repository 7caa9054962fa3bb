"""Finds model bundles by what people call them; needs no Spark."""

from __future__ import annotations

from jobs.locations import resolve_location
from jobs.registry import registry_bundle
from models.bundle import Bundle, BundleError, load_bundle
from schemas.settings import FetchSettings, S3Settings
from schemas.uri import scheme_of
from udfs.fetch import Fetcher


def read_bundle(location: str | None, s3: S3Settings, models_root: str | None = None) -> Bundle:
    """A bundle by folder, .zip, s3:// .zip, alias or name@version of the registry; the shipped one by default.

    Raises:
        BundleError: it cannot be read or verified.
        RegistryError: it is an alias or name@version that the registry lacks.
    """
    if location is None:
        return load_bundle()
    registered = registry_bundle(location, models_root, s3)
    if registered is not None:
        return registered
    if scheme_of(resolve_location(location)) != "s3":
        return load_bundle(location)
    fetched = Fetcher(FetchSettings(max_image_bytes=2**31), s3).fetch(resolve_location(location))
    if fetched.data is None:
        raise BundleError(f"model bundle {location} cannot be read: {fetched.error}")
    return load_bundle(fetched.data)
