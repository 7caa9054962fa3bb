"""What the service holds while it runs: the snapshot, the pictures' processes, the spool, the counters."""

from __future__ import annotations

import hashlib
import logging
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from anyio import CapacityLimiter, to_thread
from fastapi.responses import Response
from pydantic import BaseModel

from jobs.cache import cache_folder
from jobs.corrections_spool import CorrectionsSpool, SpooledCorrection
from jobs.locations import resolve_location
from jobs.service.metrics import Metrics
from jobs.service.picture_process import PictureProcesses, PictureTask
from jobs.service.problems import ProblemError, problem_of_picture
from jobs.service.published import noted_roots
from jobs.service.snapshot import Snapshot, SnapshotKeeper
from jobs.service.vectors import Floats
from jobs.small_objects import small_objects
from schemas.reasons import ImageError
from schemas.settings import Settings
from schemas.uri import normalize_uri
from udfs.fetch import Fetcher

if TYPE_CHECKING:
    from models.bundle import Bundle

logger = logging.getLogger(__name__)

THUMBNAIL_SIDES = (96, 160, 320, 640, 1024)
_THUMBNAIL_CACHE_BYTES = 64 * 1024 * 1024
_PENDING_SECONDS = 15.0


def as_json(answer: BaseModel) -> Response:
    """An answer as it is sent; already made of checked parts, it is not checked again."""
    return Response(answer.model_dump_json().encode(), media_type="application/json")


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class _Pending:
    read_at: float
    corrections: dict[str, SpooledCorrection]


class Service:
    """The parts behind the routes; everything is safe to share among threads.

    Args:
        settings: tables root, roots, bundle and limits.
        bundle: model bundle for searches by picture; None serves without them.
    """

    def __init__(self, settings: Settings, bundle: Bundle | None) -> None:
        self.settings = settings
        self.serve = settings.serve
        self.root = resolve_location(settings.tables)
        self.objects = small_objects(self.root, settings.s3)
        self.metrics = Metrics()
        self.spool = CorrectionsSpool(self.root, settings.s3)
        cache = Path(settings.serve.cache) if settings.serve.cache else cache_folder() / "serve"
        self.keeper = SnapshotKeeper(self.root, settings.s3, self.objects, cache, settings.serve.poll_seconds)
        decode = settings.decode.model_copy(
            update={"max_pixels": min(settings.decode.max_pixels, settings.serve.max_upload_pixels)}
        )
        self._bundle = bundle
        packed = (bundle.pack(), bundle.sha256) if bundle else None
        self._looking = PictureProcesses(self.serve.picture_workers, self.serve, decode, packed)
        self._shrinking = PictureProcesses(1, self.serve, settings.decode, None)
        self._configured_roots = tuple(resolve_location(root) for root in settings.allowed_roots)
        self._fetchers: dict[tuple[str, ...], Fetcher] = {}
        self._thumbnails: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._thumbnail_bytes = 0
        self._lock = threading.Lock()
        self._pending: _Pending | None = None
        self._turns = CapacityLimiter(cores())

    def start(self) -> None:
        """Load what is published, and look for news from then on."""
        self.keeper.start()
        threading.Thread(target=self._looking.warm, name="warm-up", daemon=True).start()

    def stop(self) -> None:
        """End threads and processes."""
        self.keeper.stop()
        self._looking.close()
        self._shrinking.close()

    def snapshot(self) -> Snapshot:
        """What to answer a request from.

        Raises:
            NotPublishedError: nothing is published or loaded yet.
        """
        return self.keeper.current()

    async def in_turn(self, search: Callable[[], BaseModel]) -> Response:
        """Answer a search by words: one for each core at a time, in the order in which they came.

        More at once would not be answered sooner: they would take turns at the interpreter every 5 ms, and all be late.
        """
        return await to_thread.run_sync(lambda: as_json(search()), limiter=self._turns)

    # --- pictures ----------------------------------------------------------------------------------------------------

    @property
    def bundle_version(self) -> str | None:
        """Version under which this service's bundle describes pictures."""
        from udfs.extract import attributes_version

        return attributes_version(self._bundle.version_id) if self._bundle else None

    def why_no_image_search(self, snapshot: Snapshot) -> str | None:
        """Why pictures cannot be compared with this snapshot's; None when they can."""
        if self._bundle is None:
            return "the service was started without a model bundle"
        if not snapshot.vectors.dimension:
            return "the published products have no embeddings"
        if self.bundle_version != snapshot.publication.bundle_version:
            return (
                f"the service has bundle {self.bundle_version}, the published vectors are of "
                f"{snapshot.publication.bundle_version}: start it with that bundle (--models)"
            )
        return None

    def look(self, data: bytes, snapshot: Snapshot) -> tuple[dict[str, Any], Floats]:
        """What is seen in a picture, and its vector.

        Raises:
            ProblemError: it cannot be used, or not compared.
        """
        if (why := self.why_no_image_search(snapshot)) is not None:
            raise ProblemError("unavailable", why)
        seen = self._looking.ask(PictureTask("look", data, {}))
        return seen, np.asarray(seen.pop("embedding"), np.float32)

    def heat_map(self, data: bytes, box: dict[str, float] | None, attribute: str, value: str) -> bytes:
        """A PNG to lay over a picture.

        Raises:
            ProblemError: the picture cannot be used, or the bundle does not know the value.
        """
        if self._bundle is None:
            raise ProblemError("unavailable", "the service was started without a model bundle")
        task = PictureTask("heat_map", data, {"box": box, "attribute": attribute, "value": value})
        return bytes(self._looking.ask(task))

    def fetch(self, raw: str) -> bytes:
        """A picture by its address, within the allowed roots only.

        Raises:
            ProblemError: it lies elsewhere or cannot be read.
        """
        roots = self._configured_roots or noted_roots(self.objects)
        # No roots would mean no restriction to the fetcher.
        if not roots:
            raise ProblemError("outside-roots", "no root is allowed: start the service with --allowed-root")
        try:
            uri = normalize_uri(raw)
        except ImageError as error:
            raise problem_of_picture(error) from error
        fetcher = self._fetchers.get(roots)
        if fetcher is None:
            limited = self.settings.fetch.model_copy(update={"attempts": min(2, self.settings.fetch.attempts)})
            fetcher = self._fetchers[roots] = Fetcher(limited, self.settings.s3, roots)
        fetched = fetcher.fetch(uri)
        if fetched.data is None:
            assert fetched.error is not None
            raise problem_of_picture(fetched.error)
        return fetched.data

    def published_picture(self, snapshot: Snapshot, content: str) -> bytes:
        """The bytes of a published picture.

        Raises:
            ProblemError: it is not published, is gone, or has other bytes by now.
        """
        uri = snapshot.details.image_uri(content)
        if uri is None:
            raise ProblemError("not-found", "no published picture has that content")
        data = self.fetch(uri)
        if hashlib.sha256(data).hexdigest() != content:
            raise ProblemError("picture-changed", "the picture has changed since it was published; the next night sees")
        return data

    def thumbnail(self, snapshot: Snapshot, content: str, side: int) -> bytes:
        """A small WebP of a published picture.

        Raises:
            ProblemError: see `published_picture`; or it cannot be decoded.
        """
        side = next((one for one in THUMBNAIL_SIDES if one >= side), THUMBNAIL_SIDES[-1])
        with self._lock:
            if (known := self._thumbnails.get((content, side))) is not None:
                self._thumbnails.move_to_end((content, side))
                return known
        data = self.published_picture(snapshot, content)
        made = bytes(self._shrinking.ask(PictureTask("thumbnail", data, {"side": side})))
        with self._lock:
            if (content, side) not in self._thumbnails:
                self._thumbnails[content, side] = made
                self._thumbnail_bytes += len(made)
            while self._thumbnail_bytes > _THUMBNAIL_CACHE_BYTES:
                _, dropped = self._thumbnails.popitem(last=False)
                self._thumbnail_bytes -= len(dropped)
        return made

    # --- corrections -------------------------------------------------------------------------------------------------

    def pending(self) -> dict[str, SpooledCorrection]:
        """Corrections that the next night takes in, by name, oldest first; others' show after some seconds."""
        with self._lock:
            known = self._pending
            if known is None or time.monotonic() - known.read_at > _PENDING_SECONDS:
                known = self._pending = _Pending(time.monotonic(), self.spool.read(self.spool.names()))
            return dict(known.corrections)

    def correct(self, correction: SpooledCorrection) -> str:
        """Leave a correction for the next night; returns its name."""
        name = self.spool.put(correction)
        with self._lock:
            if self._pending is not None:
                self._pending.corrections[name] = correction
        self.metrics.corrections.inc()
        return name

    def withdraw(self, name: str) -> None:
        """Take back a correction that waits.

        Raises:
            ProblemError: it does not wait (any more).
        """
        # Only names that the spool lists are ever handed to the store.
        if name not in self.spool.names():
            raise ProblemError("not-found", "no such correction waits; a night may have taken it in")
        self.spool.delete([name])
        with self._lock:
            self._pending = None
