"""Extracts what is in pictures, in one pass and one process: fetch -> hash -> decode -> quality, picture by picture;
then detector -> measures -> models -> text over micro-batches (`udfs.micro_batch`); one row each.

Paths go in and small rows come out; bytes and pixels never leave the worker. Reading runs ahead of computing, and every
picture ends as `extracted`, `reused` (same content, already described) or `quarantined`.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from schemas.reasons import ImageError, Reason
from schemas.settings import MEBIBYTE, DecodeSettings, FetchSettings, S3Settings, TextSettings
from udfs.decode import decode
from udfs.describe import Picture, ready_picture
from udfs.fetch import Fetched, Fetcher
from udfs.micro_batch import describe_pictures
from udfs.runtime import BundleSource, Runtime, runtime_for

FEATURES_VERSION = 6
"""Version of the measuring code; raise it when its results change, so that pictures are extracted anew."""

# Contents remembered per task to compute identical pictures once; the planner puts equal sizes side by side.
_REMEMBERED_CONTENTS = 4096

# A micro-batch is cut short at this many bytes of pixels, whatever the settings: about 30 pictures of 800 px.
_MOST_HELD_BYTES = 64 * MEBIBYTE

Status = Literal["extracted", "reused", "quarantined"]


def attributes_version(bundle_version: str) -> str:
    """The version under which attributes are stored: the bundle's and the measuring code's."""
    return f"{bundle_version}+features.{FEATURES_VERSION}"


@dataclass(frozen=True)
class ExtractRequest:
    """One picture to extract.

    Args:
        uri: canonical URI.
        known_sha256: contents of this size that are described already; such a picture is only hashed.
    """

    uri: str
    known_sha256: frozenset[str] = frozenset()


@dataclass
class Outcome:
    """What became of one picture; the fields of the extract UDF's struct."""

    status: Status
    reason: str | None = None
    detail: str | None = None
    content_sha256: str | None = None
    size_bytes: int | None = None
    fetch_ms: float | None = None
    attributes: dict[str, Any] | None = None


@dataclass(frozen=True)
class ExtractorConfig:
    """Everything an executor needs to build an `Extractor`; small and picklable.

    Args:
        bundle: where the model bundle is.
        fetch: how pictures are read.
        s3: how S3 is reached.
        decode: what may be decoded.
        allowed_roots: roots that may be read from; empty allows all.
        text: what is read in pictures, and how much.
        micro_batch: pictures per model call.
        enhance: correct white balance, contrast and noise where called for.
        deduplicate: describe identical content once per task and call the others `reused`, without attributes.
    """

    bundle: BundleSource
    fetch: FetchSettings = field(default_factory=FetchSettings)
    s3: S3Settings = field(default_factory=S3Settings)
    decode: DecodeSettings = field(default_factory=DecodeSettings)
    allowed_roots: tuple[str, ...] = ()
    text: TextSettings = field(default_factory=TextSettings)
    micro_batch: int = 16
    enhance: bool = True
    deduplicate: bool = True

    def build(self) -> Extractor:
        """The extractor; the runtime behind it is shared by all of a process."""
        return Extractor(runtime_for(self.bundle), Fetcher(self.fetch, self.s3, self.allowed_roots), self)


@dataclass
class _Pending:
    """A picture in a micro-batch: finished (`outcome`), waiting for the stages, or a twin of another."""

    outcome: Outcome
    picture: Picture | None = None
    step_ms: dict[str, float] = field(default_factory=dict)
    twin_of: _Pending | None = None


class Extractor:
    """Runs the steps over a stream of pictures.

    Args:
        runtime: the models of a bundle.
        fetcher: reads the bytes.
        config: limits and batch size.
    """

    def __init__(self, runtime: Runtime, fetcher: Fetcher, config: ExtractorConfig) -> None:
        self._runtime = runtime
        self._fetcher = fetcher
        self._config = config
        self._seen: OrderedDict[str, _Pending] = OrderedDict()

    def extract(self, requests: Iterable[ExtractRequest]) -> Iterator[Outcome]:
        """Outcomes in the order of the requests, which are pulled ahead as far as reading runs ahead."""
        known: OrderedDict[int, frozenset[str]] = OrderedDict()
        pending: list[_Pending] = []
        held_bytes = 0

        def uris() -> Iterator[str]:
            for number, request in enumerate(requests):
                known[number] = request.known_sha256
                yield request.uri

        for number, fetched in enumerate(self._fetcher.prefetch(uris())):
            pending.append(self._start(fetched, known.pop(number)))
            if (picture := pending[-1].picture) is not None:
                held_bytes += picture.pixels.nbytes + picture.small.nbytes
            if len(pending) >= self._config.micro_batch or held_bytes >= _MOST_HELD_BYTES:
                yield from self._finish(pending)
                pending, held_bytes = [], 0
        yield from self._finish(pending)

    def close(self) -> None:
        """Close connections."""
        self._fetcher.close()

    def _start(self, fetched: Fetched, known_sha256: frozenset[str]) -> _Pending:
        """Everything that is done picture by picture before the stages."""
        if fetched.error is not None or fetched.data is None:
            error = fetched.error or ImageError(Reason.FETCH_FAILED, f"no bytes of {fetched.uri}")
            return _Pending(Outcome("quarantined", error.reason.value, error.detail, fetch_ms=fetched.milliseconds))
        digest = hashlib.sha256(fetched.data).hexdigest()
        outcome = Outcome(
            "extracted", content_sha256=digest, size_bytes=len(fetched.data), fetch_ms=fetched.milliseconds
        )
        if digest in known_sha256:
            outcome.status = "reused"
            return _Pending(outcome)
        if (twin := self._seen.get(digest)) is not None:
            return _Pending(outcome, twin_of=twin)
        pending = _Pending(outcome)
        if self._config.deduplicate:
            self._remember(digest, pending)
        started = time.perf_counter()
        try:
            decoded = decode(fetched.data, self._config.decode)
            pending.step_ms = {"fetch": fetched.milliseconds, "decode": (time.perf_counter() - started) * 1e3}
            pending.picture = ready_picture(decoded, enhance_pixels=self._config.enhance)
        except ImageError as error:
            _fail(outcome, error)
        except Exception as error:  # noqa: BLE001 - a measure that trips over one odd picture fails only that
            _fail(outcome, ImageError(Reason.FEATURES_FAILED, f"{fetched.uri}: {type(error).__name__}: {error}"))
        return pending

    def _remember(self, digest: str, pending: _Pending) -> None:
        self._seen[digest] = pending
        if len(self._seen) > _REMEMBERED_CONTENTS:
            self._seen.popitem(last=False)

    def _finish(self, batch: list[_Pending]) -> Iterator[Outcome]:
        """Take what waits through the stages and hand out the batch in order."""
        waiting = [(pending, pending.picture) for pending in batch if pending.picture is not None]
        results = describe_pictures([picture for _, picture in waiting], self._runtime, self._config.text)
        for (pending, _), result in zip(waiting, results, strict=True):
            pending.picture = None
            if isinstance(result, ImageError):
                _fail(pending.outcome, result)
            else:
                step_ms = pending.step_ms | result["step_ms"]
                pending.outcome.attributes = {**result, "size_bytes": pending.outcome.size_bytes, "step_ms": step_ms}
        for pending in batch:
            if pending.twin_of is not None:
                _follow(pending.outcome, pending.twin_of.outcome)
            yield pending.outcome
        for pending in batch:
            # Twins to come need to know how it ended, not what was found.
            if pending.twin_of is None:
                pending.outcome = Outcome(pending.outcome.status, pending.outcome.reason, pending.outcome.detail)


def _fail(outcome: Outcome, error: ImageError) -> None:
    outcome.status = "quarantined"
    outcome.reason = error.reason.value
    outcome.detail = error.detail
    outcome.attributes = None


def _follow(outcome: Outcome, twin: Outcome) -> None:
    """Identical content ends as its twin did, without a second row of attributes."""
    if twin.status == "quarantined":
        outcome.status, outcome.reason, outcome.detail = "quarantined", twin.reason, twin.detail
    else:
        outcome.status = "reused"
