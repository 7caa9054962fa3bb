"""Serve: search, product pages and the review queue over the published tables; `vitrine serve`."""

from __future__ import annotations

import logging

from jobs.bundles import read_bundle
from jobs.service.app import create_app
from schemas.settings import Settings

# One process answers; more of them beside each other (behind a proxy) share the folders of built versions.
_KEEP_ALIVE_SECONDS = 15
_MOST_CONNECTIONS = 512


def serve(settings: Settings) -> None:
    """Serve until interrupted.

    Args:
        settings: tables root, allowed roots, bundle, and everything under `serve`.

    Raises:
        BundleError, RegistryError: the bundle cannot be used.
        ImageError: BAD_URI, when the tables root or an allowed root is none.
        StoreError: the tables root cannot be reached.
    """
    import uvicorn

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    app = create_app(settings, read_bundle(settings.models, settings.s3, settings.models_root))
    uvicorn.run(
        app,
        host=settings.serve.host,
        port=settings.serve.port,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        limit_concurrency=_MOST_CONNECTIONS,
        access_log=False,
        log_config=None,
    )


if __name__ == "__main__":
    from jobs.cli import run_as_script

    run_as_script("serve")
