"""Processes that look at strangers' pictures: decoders and models run apart from the service.

A picture that crashes a decoder, eats memory or takes forever costs one such process, which is started again; the
service goes on. What is read and computed is what extraction does, so vectors compare.
"""

from __future__ import annotations

import io
import multiprocessing
import queue
import resource
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from jobs.service.problems import ProblemError, problem_of_picture
from schemas.reasons import ImageError, Reason
from schemas.settings import DecodeSettings, ServeSettings

_START_SECONDS = 120.0
_THUMBNAIL_BYTES = 200_000

SEEN = ("category", "category_candidates", "category_confidence", "color", "pattern", "width_px", "height_px", "region")
"""Columns of what is seen in a picture that searches by it tell."""


@dataclass(frozen=True)
class _PackedBundle:
    """Stands in for a broadcast of Spark."""

    value: bytes


@dataclass(frozen=True)
class PictureTask:
    """What a process is asked.

    Args:
        kind: look (vector and what is seen), heat_map (PNG) or thumbnail (WebP).
        data: the picture's bytes.
        options: of the kind: `attribute` and `value`, `box`; `side`.
    """

    kind: str
    data: bytes
    options: dict[str, Any]


class PictureProcesses:
    """Some processes and those who wait for them; safe to share among threads.

    Args:
        count: processes; started when first needed.
        settings: limits of time, memory and waiting.
        decode: limits of pixels.
        bundle: packed model bundle and its sha256; None for thumbnails only.
    """

    def __init__(
        self, count: int, settings: ServeSettings, decode: DecodeSettings, bundle: tuple[bytes, str] | None
    ) -> None:
        self._settings = settings
        self._idle: queue.LifoQueue[_Process] = queue.LifoQueue()
        for _ in range(count):
            self._idle.put(_Process(settings.picture_memory_bytes, decode, bundle))
        self._count = count
        self._waiting = threading.BoundedSemaphore(count + settings.picture_queue)

    def ask(self, task: PictureTask) -> Any:
        """Have a picture looked at.

        Raises:
            ProblemError: busy, bad-picture, bad-value or internal.
        """
        if not self._waiting.acquire(blocking=False):
            raise ProblemError("busy", "too many pictures are waiting; try again soon", retry_after=2)
        try:
            deadline = time.monotonic() + self._settings.picture_seconds
            try:
                process = self._idle.get(timeout=self._settings.picture_seconds)
            except queue.Empty:
                raise ProblemError("busy", "the picture waited too long; try again soon", retry_after=5) from None
            try:
                return process.ask(task, max(1.0, deadline - time.monotonic()))
            finally:
                self._idle.put(process)
        finally:
            self._waiting.release()

    def warm(self) -> None:
        """Start the processes, so that the first picture need not wait."""
        held = [self._idle.get() for _ in range(self._count)]
        for process in held:
            with suppress(ProblemError):
                process.start()
            self._idle.put(process)

    def close(self) -> None:
        """End the processes."""
        with suppress(queue.Empty):
            while True:
                self._idle.get_nowait().stop()


class _Process:
    """One process; used by one thread at a time."""

    def __init__(self, memory_bytes: int, decode: DecodeSettings, bundle: tuple[bytes, str] | None) -> None:
        self._arguments = (memory_bytes, decode, bundle)
        self._process: Any = None
        self._connection: Connection | None = None

    def start(self) -> None:
        """Start it unless it runs."""
        if self._process is not None and self._process.is_alive():
            return
        self.stop()
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, *self._arguments), daemon=True, name="pictures")
        self._process.start()
        theirs.close()
        self._connection = ours
        self._answer(_START_SECONDS)

    def ask(self, task: PictureTask, seconds: float) -> Any:
        self.start()
        assert self._connection is not None
        try:
            self._connection.send(task)
        except OSError:
            self.stop()
            raise ProblemError("busy", "the process for pictures has just ended; try again", retry_after=1) from None
        return self._answer(seconds)

    def _answer(self, seconds: float) -> Any:
        assert self._connection is not None
        try:
            if not self._connection.poll(seconds):
                self.stop()
                raise ProblemError("bad-picture", f"the picture took longer than {seconds:.0f} s and was given up")
            status, value = self._connection.recv()
        except (EOFError, OSError):
            self.stop()
            raise ProblemError("bad-picture", "the picture made its decoder fail; nothing else was harmed") from None
        if status == "picture":
            raise problem_of_picture(ImageError(Reason(value[0]), value[1]))
        if status == "value":
            raise ProblemError("bad-value", value)
        if status == "failed":
            raise ProblemError("internal", value)
        return value

    def stop(self) -> None:
        """Kill it; it holds nothing that could be lost."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._process is not None:
            self._process.kill()
            self._process.join(5)
            self._process = None


def _serve(connection: Connection, memory_bytes: int, decode: DecodeSettings, bundle: tuple[bytes, str] | None) -> None:
    """Main function of a process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    try:
        work = _worker(decode, bundle)
    except Exception as error:  # noqa: BLE001 - told to whoever asks, who cannot mend it
        connection.send(("failed", f"the process for pictures cannot start: {type(error).__name__}: {error}"))
        return
    connection.send(("ok", None))
    with suppress(EOFError, OSError):
        while True:
            connection.send(_outcome(work, connection.recv()))


def _outcome(work: Callable[[PictureTask], Any], task: PictureTask) -> tuple[str, Any]:
    try:
        return "ok", work(task)
    except ImageError as error:
        return "picture", (error.reason.value, error.detail)
    except ValueError as error:
        return "value", str(error)
    except MemoryError:
        return "picture", (Reason.DECODE_FAILED.value, "the picture needs more memory than is allowed")
    except Exception as error:  # noqa: BLE001 - an odd picture; the process goes on
        return "picture", (Reason.DECODE_FAILED.value, f"{type(error).__name__}")


def _worker(decode: DecodeSettings, bundle: tuple[bytes, str] | None) -> Callable[[PictureTask], Any]:
    runtime = None
    if bundle is not None:
        from udfs.runtime import BundleSource, runtime_for

        data, sha256 = bundle
        runtime = runtime_for(BundleSource(sha256, broadcast=_PackedBundle(data)))

    def work(task: PictureTask) -> Any:
        if task.kind == "thumbnail":
            return _thumbnail(task.data, decode, int(task.options["side"]))
        assert runtime is not None, "started without a bundle"
        if task.kind == "look":
            return _look(task.data, decode, runtime)
        return _heat_map(task.data, decode, runtime, task.options)

    return work


def _thumbnail(data: bytes, decode: DecodeSettings, side: int) -> bytes:
    """A WebP picture: decoded and encoded anew, so that nothing of the file but its pixels gets out."""
    from PIL import Image

    from udfs.decode import decode as decode_picture

    sized = decode.model_copy(update={"working_side": max(64, side)})
    decoded = decode_picture(data, sized)
    picture = Image.fromarray(decoded.pixels)
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    for quality in (82, 65, 45):
        buffer = io.BytesIO()
        picture.save(buffer, "WEBP", quality=quality, method=3)
        if buffer.tell() <= _THUMBNAIL_BYTES:
            break
    return buffer.getvalue()


def _look(data: bytes, decode: DecodeSettings, runtime: Any) -> dict[str, Any]:
    """What extraction sees, text aside."""
    from schemas.settings import TextSettings
    from udfs.decode import decode as decode_picture
    from udfs.describe import ready_picture
    from udfs.micro_batch import describe_pictures

    picture = ready_picture(decode_picture(data, decode))
    seen = describe_pictures([picture], runtime, TextSettings(read=False))[0]
    if isinstance(seen, ImageError):
        raise seen
    return {name: seen[name] for name in (*SEEN, "embedding") if name in seen}


def _heat_map(data: bytes, decode: DecodeSettings, runtime: Any, options: dict[str, Any]) -> bytes:
    """A PNG of the picture's shape, see-through where there is no evidence."""
    import cv2
    import numpy as np
    from PIL import Image

    from udfs.decode import decode as decode_picture
    from udfs.describe import ready_picture
    from udfs.heat_map import HeatMapper, Target

    decoded = decode_picture(data, decode)
    pixels = ready_picture(decoded).pixels
    height, width = pixels.shape[:2]
    box = options.get("box")
    if box is not None:
        across, down = width / decoded.width_px, height / decoded.height_px
        box = (box["x_min"] * across, box["y_min"] * down, box["x_max"] * across, box["y_max"] * down)
    mapper = HeatMapper(runtime)
    found = mapper.map(pixels, box, [Target(options["attribute"], options["value"])])[0]
    evidence = found.on_picture(height, width)
    colors = cv2.applyColorMap((evidence * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1]
    alpha = (np.clip(evidence, 0, 1) ** 0.6 * 190).astype(np.uint8)
    buffer = io.BytesIO()
    picture = Image.fromarray(np.dstack([colors, alpha]), "RGBA")
    picture.thumbnail((512, 512))
    picture.save(buffer, "PNG")
    return buffer.getvalue()
