"""The version that is served, and the change to the next one: built aside in a process of its own, swapped at once.

A request takes the snapshot once and keeps it to its end, so it sees one published night and never half of another.
"""

from __future__ import annotations

import json
import logging
import multiprocessing
import shutil
import threading
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from jobs.service.build import META, build_folder, folder_name
from jobs.service.details import Details
from jobs.service.index import KeywordIndex
from jobs.service.meaning import Term, understand
from jobs.service.published import NotPublishedError, Publication, read_publication
from jobs.service.vectors import Vectors
from jobs.small_objects import SmallObjects
from schemas.settings import S3Settings

logger = logging.getLogger(__name__)

# The present version's folder and the one before, which requests may still be reading.
_KEPT_FOLDERS = 2


@dataclass(frozen=True)
class Snapshot:
    """One published version, ready to be served.

    Args:
        folder: from `jobs.service.build.build_folder`.
        publication: which version.
    """

    folder: Path
    publication: Publication

    @cached_property
    def details(self) -> Details:
        """Products, pictures, quarantine."""
        return Details(self.folder / "details.sqlite")

    @cached_property
    def index(self) -> KeywordIndex:
        """Keyword search."""
        return KeywordIndex(self.folder / "index")

    @cached_property
    def vectors(self) -> Vectors:
        """Search by likeness."""
        return Vectors.open(self.folder)

    @cached_property
    def spellings(self) -> Sequence[str]:
        """Words as written in titles, commonest first."""
        return tuple(json.loads((self.folder / META).read_text(encoding="utf-8"))["spellings"])

    @cached_property
    def product_count(self) -> int:
        """Active products."""
        return self.details.product_count()

    def opened(self) -> Snapshot:
        """The snapshot with all its parts open, so that the first request need not wait."""
        _ = self.details, self.index, self.vectors, self.spellings, self.product_count
        return self

    def understand(self, query: str) -> list[Term]:
        """The terms of a query, misspellings mended by what this version knows."""
        return understand(query, self.index.knows, self.spellings)


class SnapshotKeeper:
    """Holds the served snapshot and replaces it when a new version is published.

    Args:
        root: normalised tables root.
        s3: how to reach S3.
        objects: small objects under the root.
        cache: folder for what is built.
        poll_seconds: how often to look.
    """

    def __init__(self, root: str, s3: S3Settings, objects: SmallObjects, cache: Path, poll_seconds: float) -> None:
        self._root, self._s3, self._objects, self._cache = root, s3, objects, cache
        self._poll_seconds = poll_seconds
        self._current: Snapshot | None = None
        self._stop = threading.Event()
        self._look_lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self.problem: str | None = "the published version has not been looked for yet"
        self.failures = 0

    def current(self) -> Snapshot:
        """The snapshot to answer a request from.

        Raises:
            NotPublishedError: there is none yet.
        """
        if self._current is None:
            raise NotPublishedError(self.problem or "the published version is being loaded")
        return self._current

    @property
    def is_ready(self) -> bool:
        """Whether there is something to serve."""
        return self._current is not None

    def start(self) -> None:
        """Look now and from then on, in the background."""
        self._thread = threading.Thread(target=self._watch, name="snapshots", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop looking."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=30)

    def refresh(self) -> bool:
        """Look now; whether another version is served afterwards. What goes wrong is noted and never raised."""
        with self._look_lock:
            try:
                publication = read_publication(self._objects)
                if self._current is not None and self._current.publication.versions == publication.versions:
                    self.problem = None
                    return False
                folder = self._built(publication)
                self._current = Snapshot(folder, publication).opened()
            except NotPublishedError as error:
                self.problem = str(error)
                return False
            except Exception as error:  # whatever this is, the old version goes on being served
                self.failures += 1
                self.problem = f"the published version cannot be loaded: {type(error).__name__}: {error}"
                logger.exception("the published version cannot be loaded")
                return False
            self.problem = None
            logger.info("serving publication %d from %s", publication.publication_id, folder)
            self._forget_old()
            return True

    def _built(self, publication: Publication) -> Path:
        folder = self._cache / folder_name(self._root, publication)
        if (folder / META).is_file():
            return folder
        # A process of its own: building would slow down answers here, and its memory goes back when it ends.
        with ProcessPoolExecutor(max_workers=1, mp_context=multiprocessing.get_context("spawn")) as pool:
            return pool.submit(build_folder, self._root, self._s3, publication, self._cache).result()

    def _forget_old(self) -> None:
        """Delete all folders but the newest; open files stay readable to whoever has them open."""
        folders = [path.parent for path in self._cache.glob(f"*/{META}")]
        folders.sort(key=lambda folder: (folder / META).stat().st_mtime, reverse=True)
        present = self._current.folder if self._current else None
        for folder in folders[_KEPT_FOLDERS:]:
            if folder != present:
                shutil.rmtree(folder, ignore_errors=True)

    def _watch(self) -> None:
        self.refresh()
        while not self._stop.wait(self._poll_seconds):
            self.refresh()
