"""The single model's file: EfficientNet-Lite0 in float32, from a package that carries its weights; no network."""

from __future__ import annotations

from pathlib import Path

from jobs.cache import cache_folder
from models.bundle import BASELINE_BUNDLE


def lite0_fp32() -> Path:
    """ONNX file of EfficientNet-Lite0 fp32 with ImageNet weights; exported once, then kept in the cache.

    Raises:
        ImportError: the extra `train` (torch, onnx) is not installed and nothing was exported before.
    """
    path = cache_folder() / "bench" / "lite0.fp32.onnx"
    if not path.exists():
        from models.export_imagenet import export_fp32

        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        unfinished.write_bytes(export_fp32())
        unfinished.rename(path)
    return path


def lite0_int8() -> Path:
    """The shipped int8 form of the same network: takes nothing to export, for a quick run."""
    return BASELINE_BUNDLE / "classify.int8.onnx"
