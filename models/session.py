"""Inference sessions as every process of ours runs them: one thread, same results on every CPU."""

from __future__ import annotations

import platform
import re
from functools import cache
from pathlib import Path
from typing import Any

import onnxruntime

_CPU_INFO = Path("/proc/cpuinfo")


def session_options() -> Any:
    """One intra-op and one inter-op thread, no spinning, all graph optimizations, exact int8 products."""
    options = onnxruntime.SessionOptions()
    # Spark runs one worker process per core already; a spinning thread would burn a core that another worker needs.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    if int8_products_may_saturate():
        options.add_session_config_entry("session.x64quantprecision", "1")
    return options


def new_session(model: bytes) -> Any:
    """A session on the CPU for an ONNX model."""
    return onnxruntime.InferenceSession(model, session_options(), providers=["CPUExecutionProvider"])


@cache
def int8_products_may_saturate() -> bool:
    """Whether this CPU's fast int8 kernels add two products into 16 bits, which can overflow.

    x86 CPUs without VNNI do. onnxruntime then has a slower exact mode (session.x64quantprecision), which gives the same
    results as VNNI; on CPUs with VNNI that mode only costs time (measured: 2.3 times). A CPU that does not tell is
    taken as one without.
    """
    if platform.machine().lower() not in {"x86_64", "amd64"}:
        return False
    try:
        return not has_vnni(_CPU_INFO.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return True


def has_vnni(cpu_info: str) -> bool:
    """Whether the flags in the text of /proc/cpuinfo name AVX-VNNI or AVX512-VNNI."""
    return not {"avx_vnni", "avx512_vnni"}.isdisjoint(_flags(cpu_info))


@cache
def cpu_multiplies_bfloat16() -> bool:
    """Whether this CPU has instructions of its own for products of bfloat16; one that does not tell has none."""
    try:
        return has_bfloat16(_CPU_INFO.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return False


def has_bfloat16(cpu_info: str) -> bool:
    """Whether the flags in the text of /proc/cpuinfo name AVX512-BF16 or AMX-BF16."""
    return not {"avx512_bf16", "amx_bf16"}.isdisjoint(_flags(cpu_info))


def _flags(cpu_info: str) -> list[str]:
    found = re.search(r"^flags\s*:(.*)$", cpu_info, flags=re.MULTILINE)
    return found.group(1).split() if found else []
