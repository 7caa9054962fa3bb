"""Finds the system's Chromium and opens pages in it, for tests that look at pages as a person would."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def find_chromium() -> str | None:
    """Path of the browser: `VITRINE_CHROMIUM`, else the first of `NAMES` on PATH, else None."""
    if named := os.environ.get("VITRINE_CHROMIUM"):
        return named
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@contextmanager
def open_chromium() -> Iterator[Browser]:
    """A running browser; skips the test when there is none on this machine."""
    executable = find_chromium()
    if executable is None:
        pytest.skip(f"no Chromium: set VITRINE_CHROMIUM or install one of {', '.join(NAMES)}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()
