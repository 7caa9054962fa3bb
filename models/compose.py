"""Bundles made of parts: put a detector or a text network beside a classifier, or take them from another bundle."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from models.bundle import Bundle, write_bundle
from models.manifest import DetectTask, ManifestDraft, UnderstandTask
from models.prototypes import REFERENCE_FILE, EmbeddingReference

TEXT_PART = Path(__file__).parent / "parts" / "text"
FUSION_FILE = "understand.fusion.json"


def with_reference(bundle: Bundle, reference: EmbeddingReference, out: Path, *, overwrite: bool = False) -> Bundle:
    """Write a bundle that is `bundle` with a sample of training embeddings, so that types can be enrolled.

    Args:
        bundle: what to begin with.
        reference: of embeddings that the bundle itself makes.
        out: folder of the new bundle.
        overwrite: replace a bundle that is there, e.g. `bundle` itself.
    """
    fields = {name: getattr(bundle.manifest, name) for name in ManifestDraft.model_fields}
    fields |= {"embedding_reference_file": REFERENCE_FILE}
    files = {**bundle.files, REFERENCE_FILE: reference.to_bytes()}
    return write_bundle(out, ManifestDraft(**fields), files, overwrite=overwrite)


def with_detector(
    bundle: Bundle,
    detector: Bundle,
    out: Path,
    *,
    version: str,
    overwrite: bool = False,
) -> Bundle:
    """Write a bundle that is `bundle` with the detector of another in place of the one it may have.

    Args:
        bundle: what to begin with.
        detector: a bundle with a `detect` task, e.g. what `vitrine train --network detector` made, or the shipped one.
        out: folder of the new bundle.
        version: of the new bundle.
        overwrite: replace a bundle that is there.

    Raises:
        BundleError: `detector` has no detector.
    """
    task = detector.task("detect")
    replaced = {one.file for one in bundle.manifest.tasks if isinstance(one, DetectTask)}
    kept = tuple(one for one in bundle.manifest.tasks if not isinstance(one, DetectTask))
    fields = {name: getattr(bundle.manifest, name) for name in ManifestDraft.model_fields}
    licenses = {f"detector: {part}": license for part, license in detector.manifest.licenses.items()}
    about = detector.manifest.metrics.get("detect", {})
    if len(detector.manifest.tasks) == 1:
        about = {**detector.manifest.metrics, "training_data": detector.manifest.training_data}
    fields |= {
        "tasks": (*kept, task),
        "version": version,
        "created_at": datetime.now(UTC).replace(microsecond=0),
        "metrics": {**bundle.manifest.metrics, **({"detect": about} if about else {})},
        "licenses": {**bundle.manifest.licenses, **licenses},
    }
    files = {name: content for name, content in bundle.files.items() if name not in replaced}
    return write_bundle(
        out, ManifestDraft(**fields), {**files, task.file: detector.files[task.file]}, overwrite=overwrite
    )


def with_text(bundle: Bundle, text: Bundle, out: Path, *, version: str, overwrite: bool = False) -> Bundle:
    """Write a bundle that is `bundle` with the text network and the fusion weights of another.

    Args:
        bundle: what to begin with; a text network that it has is replaced.
        text: a bundle with an `understand` task, e.g. `load_bundle(TEXT_PART)`.
        out: folder of the new bundle.
        version: of the new bundle.
        overwrite: replace a bundle that is there.

    Raises:
        BundleError: `text` has no text network.
    """
    task = text.task("understand")
    old = bundle.understand_task
    replaced = set(old.files) if old is not None else set()
    kept = tuple(one for one in bundle.manifest.tasks if not isinstance(one, UnderstandTask))
    fields = {name: getattr(bundle.manifest, name) for name in ManifestDraft.model_fields}
    licenses = {f"text: {part}": license for part, license in text.manifest.licenses.items()}
    fields |= {
        "tasks": (*kept, task),
        "version": version,
        "created_at": datetime.now(UTC).replace(microsecond=0),
        "metrics": {
            **bundle.manifest.metrics,
            "understand": {**text.manifest.metrics, "training_data": text.manifest.training_data},
        },
        "licenses": {**bundle.manifest.licenses, **licenses},
    }
    files = {name: content for name, content in bundle.files.items() if name not in replaced}
    files |= {name: text.files[name] for name in task.files}
    return write_bundle(out, ManifestDraft(**fields), files, overwrite=overwrite)


def with_fusion(bundle: Bundle, weights: bytes, out: Path, *, overwrite: bool = False) -> Bundle:
    """Write a bundle that is `bundle` with weights for pooling pictures and texts.

    Args:
        bundle: has an `understand` task.
        weights: `udfs.fusion.FusionWeights.to_bytes()`.
        out: folder of the new bundle.
        overwrite: replace a bundle that is there, e.g. `bundle` itself.

    Raises:
        BundleError: the bundle has no text network.
    """
    task = bundle.task("understand").model_copy(update={"fusion_file": FUSION_FILE})
    fields = {name: getattr(bundle.manifest, name) for name in ManifestDraft.model_fields}
    fields |= {"tasks": tuple(task if isinstance(one, UnderstandTask) else one for one in bundle.manifest.tasks)}
    files = {**bundle.files, FUSION_FILE: weights}
    return write_bundle(out, ManifestDraft(**fields), files, overwrite=overwrite)
