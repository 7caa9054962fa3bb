"""What a person sees while a job runs: one live line on a terminal, a plain line now and then in a log."""

from __future__ import annotations

import math
import threading
import time
from types import TracebackType
from typing import Self

from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from jobs.closing_table import closing_table
from jobs.console_text import CONSOLE, format_duration, format_rate, printable

__all__ = ["SmoothedRate", "StageProgress", "closing_table"]

PLAIN_INTERVAL_SECONDS = 10.0
"""Shortest time between two lines in a log."""

SMOOTHING_SECONDS = 20.0
"""Time constant of the exponentially smoothed rate: older speed counts for 1/e after this long."""

MINIMUM_EVIDENCE_SECONDS = 2.0
"""No rate and no time left are shown before progress was observed for this long."""

SHORTEST_BAR, LONGEST_BAR = 8, 40
"""Characters."""


class SmoothedRate:
    """Items per second, smoothed exponentially; None until there is evidence.

    Spark reports progress in steps (a task at a time), so the rate is measured between moments at which the count
    moved, and falls with the time since then: a job that hangs shows a falling rate, not its last good one.
    """

    def __init__(self, time_constant: float = SMOOTHING_SECONDS) -> None:
        self._time_constant = time_constant
        self._started: float | None = None
        self._moved_at = 0.0
        self._done = 0
        # Numerator and denominator decay alike, which makes the first estimate the plain mean.
        self._items = 0.0
        self._seconds = 0.0
        self._moves = 0.0

    def observe(self, done: int, now: float) -> None:
        """Take note that `done` items were finished at `now` (seconds of a monotonic clock)."""
        if self._started is None:
            self._started, self._moved_at, self._done = now, now, done
            return
        if done <= self._done:
            return
        elapsed = now - self._moved_at
        decay = math.exp(-elapsed / self._time_constant)
        self._items = self._items * decay + (done - self._done)
        self._seconds = self._seconds * decay + elapsed
        self._moves = self._moves * decay + 1
        self._moved_at, self._done = now, done

    def per_second(self, now: float) -> float | None:
        """The rate at `now`, or None while too little was observed."""
        if self._started is None or self._items <= 0 or now - self._started < MINIMUM_EVIDENCE_SECONDS:
            return None
        mean_step = self._seconds / self._moves
        overdue = max(0.0, (now - self._moved_at) - mean_step)
        return self._items / (self._seconds + overdue)


class StageProgress:
    """Shows how far a stage is, on stderr. Use as a context manager; updates may come from any thread.

    Args:
        stage: what is running, e.g. "extract".
        total: items to do; None shows a spinner (terminal) or only the count (log).
        unit: plural noun of the items.
        quiet: print nothing at all.
        interval_seconds: shortest time between lines when stderr is not a terminal.
        console: where to print; the default writes to stderr.
    """

    def __init__(
        self,
        stage: str,
        total: int | None = None,
        unit: str = "images",
        *,
        quiet: bool = False,
        interval_seconds: float = PLAIN_INTERVAL_SECONDS,
        console: Console | None = None,
    ) -> None:
        self.stage, self.total, self.unit = stage, total, unit
        self._console = console or CONSOLE
        self._quiet = quiet
        self._interval_seconds = interval_seconds
        self._lock = threading.RLock()
        self._rate = SmoothedRate()
        self._done, self._quarantined, self._reused = 0, 0, 0
        self._note = ""
        self._started = self._printed_at = time.monotonic()
        self._live: Live | None = None
        self._spinner = Spinner("dots")

    def __enter__(self) -> Self:
        self._started = time.monotonic()
        self._rate.observe(0, self._started)
        if self._quiet:
            return self
        if self._console.is_terminal and not self._console.is_dumb_terminal:
            self._live = Live(console=self._console, get_renderable=self._render, refresh_per_second=8, transient=True)
            self._live.start()
        else:
            of_total = "" if self.total is None else f", {self.total:,} {self.unit}"
            self._print_line(f"{self.stage}: started{of_total}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None
        if self._quiet:
            return
        with self._lock:
            line = self._closing_line(error)
        if self._console.is_terminal and not self._console.is_dumb_terminal:
            mark = Text("✗ ", "bold red") if error else Text("✓ ", "green")
            self._console.print(mark + Text(line), soft_wrap=True)
        else:
            self._print_line(line)

    def start(self, total: int) -> None:
        """Say how many items there are once that is known; the rate is measured from here."""
        with self._lock:
            self.total = total
            self._rate = SmoothedRate()
            self._rate.observe(self._done, time.monotonic())
            if not self._quiet and self._live is None:
                self._print_line(f"{self.stage}: {total:,} {self.unit} to do")

    def update(
        self,
        *,
        done: int | None = None,
        quarantined: int | None = None,
        reused: int | None = None,
        total: int | None = None,
        note: str | None = None,
    ) -> None:
        """Set what is given (totals so far, not increments); thread-safe.

        Args:
            done: items finished, however they ended.
            quarantined: of these, items in quarantine.
            reused: of these, items whose earlier result was reused.
            total: a corrected total.
            note: what is happening now, a few words.
        """
        with self._lock:
            now = time.monotonic()
            if done is not None:
                self._done = done
                self._rate.observe(done, now)
            self._quarantined = self._quarantined if quarantined is None else quarantined
            self._reused = self._reused if reused is None else reused
            self.total = self.total if total is None else total
            self._note = self._note if note is None else printable(note)
            if self._quiet or self._live is not None or now - self._printed_at < self._interval_seconds:
                return
            self._print_line(self._progress_line(now))

    def note(self, text: str) -> None:
        """Say what is happening now, for steps without a count."""
        self.update(note=text)

    def _print_line(self, line: str) -> None:
        """Write one line as it is: no wrapping, no markup, no control characters."""
        self._printed_at = time.monotonic()
        stream = self._console.file
        stream.write(line + "\n")
        stream.flush()

    def _seconds_left(self, now: float) -> float | None:
        rate = self._rate.per_second(now)
        if rate is None or self.total is None or self._done >= self.total:
            return None
        return (self.total - self._done) / rate

    def _outcomes(self) -> list[str]:
        parts = [f"{self._reused:,} reused"] if self._reused else []
        return parts + ([f"{self._quarantined:,} quarantined"] if self._quarantined else [])

    def _progress_line(self, now: float) -> str:
        parts = []
        if self.total is not None:
            share = f" ({min(100, 100 * self._done // self.total)}%)" if self.total else ""
            parts.append(f"{self._done:,} of {self.total:,} {self.unit}{share}")
        elif self._done:
            parts.append(f"{self._done:,} {self.unit}")
        rate = self._rate.per_second(now)
        if rate is not None:
            parts.append(f"{format_rate(rate)} {self.unit}/s")
        parts += self._outcomes()
        left = self._seconds_left(now)
        if left is not None:
            parts.append(f"about {format_duration(left)} left")
        if self._note:
            parts.append(self._note)
        return f"{self.stage}: {', '.join(parts) or 'running'}, {format_duration(now - self._started)} so far"

    def _closing_line(self, error: BaseException | None) -> str:
        seconds = time.monotonic() - self._started
        parts = [f"{'failed' if error else 'done'} in {format_duration(seconds)}"]
        if self._done or self.total is not None:
            parts.append(f"{self._done:,} {self.unit}")
        if self._done and seconds > 0:
            parts.append(f"{format_rate(self._done / seconds)} {self.unit}/s")
        parts += self._outcomes()
        if error is not None:
            message = (str(error).splitlines() or [""])[0]
            parts.append(printable(f"{type(error).__name__}: {message}").removesuffix(": ")[:200])
        return f"{self.stage}: {', '.join(parts)}"

    def _render(self) -> RenderableType:
        """The live line; called by rich's refresh thread."""
        with self._lock:
            now = time.monotonic()
            words = self._live_words(now)
            stage = Text(self.stage, "bold", no_wrap=True, overflow="ellipsis")
            length = cell_len(self.stage) + sum(1 + cell_len(word.plain) for word in words)
            # The bar takes what the words leave; a narrow terminal shows the words only, as many as fit.
            width = min(LONGEST_BAR, self._console.width - length - 2)
            if self.total is not None and width < SHORTEST_BAR:
                return Text(" ", no_wrap=True, overflow="ellipsis", end="").join([stage, *words])
            gauge: RenderableType = self._spinner
            if self.total is not None:
                gauge = ProgressBar(total=max(self.total, 1), completed=min(self._done, self.total), width=width)
            line = Table.grid(padding=(0, 1, 0, 0))
            for _ in range(2 + len(words)):
                line.add_column(no_wrap=True, overflow="ellipsis")
            line.add_row(stage, gauge, *words)
            return line

    def _live_words(self, now: float) -> list[Text]:
        rate, left = self._rate.per_second(now), self._seconds_left(now)
        words = []
        if self.total is not None:
            words.append(Text(f"{self._done:,} of {self.total:,}"))
        elif self._done:
            words.append(Text(f"{self._done:,} {self.unit}"))
        if rate is not None:
            words.append(Text(f"{format_rate(rate)} {self.unit}/s", "cyan"))
        if self._quarantined:
            words.append(Text(f"{self._quarantined:,} quarantined", "yellow"))
        if left is not None:
            words.append(Text(f"{format_duration(left)} left", "green"))
        if self._note or rate is None:
            words.append(Text(self._note or format_duration(now - self._started), "dim"))
        return words
