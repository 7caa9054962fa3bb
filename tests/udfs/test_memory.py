"""Huge pictures must not fill a worker's memory: measured in a process of its own, as a Spark worker is one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from schemas.settings import MEBIBYTE

CHECKOUT = Path(__file__).resolve().parents[2]
WIDTH, HEIGHT = 7744, 5184
MOST_MIB = 1536
FLAT_MIB = 64

# Prints the peak memory (MiB) after each picture; VmHWM never falls, so a leak shows as a rise at the end.
WORKER = """
import json, sys
from models.bundle import SHIPPED_BUNDLE, load_bundle
from udfs.extract import ExtractorConfig, ExtractRequest
from udfs.runtime import BundleSource
from pathlib import Path
sha256 = load_bundle(SHIPPED_BUNDLE).sha256
extractor = ExtractorConfig(BundleSource(sha256, path=str(SHIPPED_BUNDLE)), micro_batch=int(sys.argv[1])).build()
peaks = []
for outcome in extractor.extract(ExtractRequest(uri) for uri in sys.argv[2:]):
    status = Path("/proc/self/status").read_text()
    peak = next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM:"))
    peaks.append([outcome.status, outcome.attributes["width_px"] if outcome.attributes else outcome.detail, peak])
print(json.dumps(peaks))
"""


@pytest.fixture(scope="module")
def huge_pictures(tmp_path_factory) -> dict[str, list[str]]:
    """Pictures of 40 megapixels with a different product each; noisy tiles keep the files from being tiny."""
    folder = tmp_path_factory.mktemp("huge")
    tile = np.random.default_rng(0).integers(0, 24, (324, 484, 3), dtype=np.uint8)
    canvas = cv2.subtract(np.full((HEIGHT, WIDTH, 3), 250, np.uint8), np.tile(tile, (16, 16, 1)))
    written: dict[str, list[str]] = {"jpeg": [], "png": []}
    for number in range(6):
        left = 1500 + 300 * number
        cv2.rectangle(canvas, (left, 1200), (left + 2800, 4200), (40 * number, 90, 200 - 30 * number), -1)
        path = folder / f"{number}.jpg"
        cv2.imwrite(str(path), canvas)
        written["jpeg"].append(path.as_uri())
        if number < 3:
            path = folder / f"{number}.png"
            cv2.imwrite(str(path), canvas, [cv2.IMWRITE_PNG_COMPRESSION, 1])
            written["png"].append(path.as_uri())
    for line, text in enumerate(("Sunscreen", "SPF 50", "200 ml")):
        cv2.putText(canvas, text, (3200, 2200 + 600 * line), cv2.FONT_HERSHEY_SIMPLEX, 14, (250, 250, 250), 40)
    # Progressive JPEGs keep all coefficients in memory while they are decoded.
    path = folder / "progressive.jpg"
    cv2.imwrite(str(path), canvas, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])
    written["jpeg"].append(path.as_uri())
    return written


def peaks_of(uris: list[str], micro_batch: int = 1) -> list[float]:
    """Peak memory (MiB) of a fresh process after each of these pictures."""
    command = [sys.executable, "-c", WORKER, str(micro_batch), *uris]
    answer = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr[-2000:]
    outcomes = json.loads(answer.stdout)
    assert [outcome[:2] for outcome in outcomes] == [["extracted", WIDTH]] * len(uris)
    return [peak for _, _, peak in outcomes]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
@pytest.mark.parametrize("kind", ["jpeg", "png"])
def test_forty_megapixel_pictures_keep_a_worker_small_and_flat(huge_pictures, kind):
    plain = [uri for uri in huge_pictures[kind] if "progressive" not in uri]
    assert sum(Path(uri.removeprefix("file://")).stat().st_size for uri in plain) > len(plain) * MEBIBYTE
    peaks = peaks_of(plain)
    assert peaks[-1] < MOST_MIB
    assert peaks[-1] - peaks[0] < FLAT_MIB, f"memory grows: {peaks}"


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
def test_all_kinds_in_turn_keep_a_worker_small(huge_pictures):
    mixed = [huge_pictures["jpeg"][-1], huge_pictures["png"][0], huge_pictures["jpeg"][0], huge_pictures["png"][1]]
    # One micro-batch, with text to read in it: decoded pictures are held at the working size only.
    assert peaks_of(mixed, micro_batch=16)[-1] < MOST_MIB
