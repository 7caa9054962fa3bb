"""Models in a worker process: one session per process and bundle, one thread, never pickled, same results anywhere."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import data

from models.bundle import BASELINE_BUNDLE, Bundle, BundleError, load_bundle, write_bundle
from models.manifest import InputSpec, ManifestDraft
from models.model_input import model_input
from models.session import has_bfloat16, has_vnni, new_session
from schemas.reasons import ImageError, Reason
from udfs.runtime import BundleSource, Runtime, runtime_for

REFERENCE = np.load(Path(__file__).parents[1] / "models" / "fp32_reference.npz")
PHOTOS = [str(name) for name in REFERENCE["photos"]]


class HeldInMemory:
    """What a worker sees of a Spark broadcast."""

    def __init__(self, value: bytes) -> None:
        self.value = value


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return load_bundle(BASELINE_BUNDLE)


@pytest.fixture(scope="module")
def runtime(bundle: Bundle) -> Runtime:
    return runtime_for(BundleSource(bundle.sha256, path=str(BASELINE_BUNDLE)))


@pytest.fixture(scope="module")
def batch(runtime: Runtime) -> NDArray[np.uint8]:
    return np.stack([runtime.prepare(getattr(data, name)()) for name in PHOTOS])


def test_one_runtime_per_process_and_bundle(bundle: Bundle, runtime: Runtime, tmp_path: Path) -> None:
    packed = tmp_path / "bundle.zip"
    packed.write_bytes(bundle.pack())
    assert runtime_for(BundleSource(bundle.sha256, path=str(packed))) is runtime
    assert runtime_for(BundleSource(bundle.sha256, broadcast=HeldInMemory(bundle.pack()))) is runtime


def test_folder_zip_and_bytes_give_the_same_results(
    bundle: Bundle, runtime: Runtime, batch: NDArray[np.uint8], tmp_path: Path
) -> None:
    packed = tmp_path / "bundle.zip"
    packed.write_bytes(bundle.pack())
    expected = runtime.classify(batch)
    for source in (
        BundleSource(bundle.sha256, path=str(packed)),
        BundleSource(bundle.sha256, broadcast=HeldInMemory(bundle.pack())),
    ):
        result = Runtime(source.load()).classify(batch)
        np.testing.assert_array_equal(result.probabilities, expected.probabilities)
        np.testing.assert_array_equal(result.embeddings, expected.embeddings)


def test_a_source_travels_to_another_process_and_a_runtime_does_not(runtime: Runtime, bundle: Bundle) -> None:
    source = BundleSource(bundle.sha256, path=str(BASELINE_BUNDLE))
    assert len(pickle.dumps(source)) < 1000
    code = (
        "import pickle, sys; from udfs.runtime import runtime_for;"
        "runtime = runtime_for(pickle.loads(bytes.fromhex(sys.argv[1])));"
        "from skimage import data; result = runtime.classify(runtime.prepare(data.coffee())[None]);"
        "print(runtime.read(result)[0].category)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, pickle.dumps(source).hex()], check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "packaged-food/drinks/coffee"
    with pytest.raises(TypeError, match=r"cannot be pickled: pass the BundleSource.*runtime_for"):
        pickle.dumps(runtime)


def test_a_source_names_one_place() -> None:
    with pytest.raises(ValueError, match="either"):
        BundleSource("0" * 64)
    with pytest.raises(ValueError, match="either"):
        BundleSource("0" * 64, broadcast=HeldInMemory(b""), path="x")


def test_a_bundle_that_was_swapped_during_the_job_is_refused(bundle: Bundle, tmp_path: Path) -> None:
    draft = ManifestDraft.model_validate(bundle.manifest.model_dump(exclude={"files"}) | {"version": "1.0.1"})
    write_bundle(tmp_path / "bundle", draft, bundle.files)
    with pytest.raises(BundleError, match=r"imagenet-lite0@1\.0\.1 at .* is not the one the job started with"):
        runtime_for(BundleSource(bundle.sha256[::-1], path=str(tmp_path / "bundle")))


def test_a_failed_load_is_not_cached(bundle: Bundle, tmp_path: Path) -> None:
    draft = ManifestDraft.model_validate(bundle.manifest.model_dump(exclude={"files"}) | {"version": "1.0.2"})
    sha256 = write_bundle(tmp_path / "there", draft, bundle.files).sha256
    source = BundleSource(sha256, path=str(tmp_path / "late"))
    with pytest.raises(BundleError, match="does not exist"):
        runtime_for(source)
    shutil.move(tmp_path / "there", tmp_path / "late")
    assert runtime_for(source).bundle.version_id == "imagenet-lite0@1.0.2"


def test_results_have_the_promised_form(runtime: Runtime, batch: NDArray[np.uint8]) -> None:
    result = runtime.classify(batch)
    assert result.probabilities.shape == (len(batch), 1000)
    assert result.embeddings.shape == (len(batch), runtime.bundle.manifest.embedding_dimension)
    assert result.probabilities.dtype == result.embeddings.dtype == np.float32
    np.testing.assert_allclose(result.probabilities.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(result.embeddings, axis=1), 1, rtol=1e-5)


def test_a_batch_gives_what_single_pictures_give(runtime: Runtime, batch: NDArray[np.uint8]) -> None:
    together = runtime.classify(batch)
    for row in range(len(batch)):
        alone = runtime.classify(batch[row : row + 1])
        np.testing.assert_allclose(alone.probabilities[0], together.probabilities[row], atol=1e-5)
        np.testing.assert_allclose(alone.embeddings[0], together.embeddings[row], atol=1e-5)


def test_int8_stays_as_close_to_fp32_as_the_manifest_says(
    bundle: Bundle, runtime: Runtime, batch: NDArray[np.uint8]
) -> None:
    result = runtime.classify(batch)
    expected = REFERENCE["embeddings"].astype(np.float32)
    cosines = (result.embeddings * expected).sum(axis=1) / np.linalg.norm(expected, axis=1)
    stated = bundle.manifest.metrics["int8_against_fp32"]
    assert isinstance(stated, dict)
    assert cosines.mean() > float(str(stated["mean_embedding_cosine"])) - 0.01
    agreeing = result.probabilities.argmax(axis=1) == REFERENCE["logits"].argmax(axis=1)
    assert agreeing.mean() >= 0.75


def test_sessions_are_built_once_with_one_thread(bundle: Bundle, batch: NDArray[np.uint8]) -> None:
    fresh = Runtime(bundle)
    threads = len(list(Path("/proc/self/task").iterdir()))
    fresh.classify(batch)
    assert len(list(Path("/proc/self/task").iterdir())) == threads
    session = fresh._session("classify.int8.onnx")
    fresh.classify(batch)
    assert fresh._session("classify.int8.onnx") is session
    options = session.get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"
    assert cv2.getNumThreads() == 1


def test_threads_that_share_a_runtime_agree(bundle: Bundle, batch: NDArray[np.uint8]) -> None:
    fresh, results = Runtime(bundle), []
    threads = [threading.Thread(target=lambda: results.append(fresh.classify(batch))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    assert all(np.array_equal(one.probabilities, results[0].probabilities) for one in results)


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((1, 200, 224, 3), np.uint8),
        np.zeros((224, 224, 3), np.uint8),
        np.zeros((1, 224, 224, 3), np.float32),
        np.zeros((0, 224, 224, 3), np.uint8),
    ],
)
def test_a_wrong_batch_is_model_failed_and_names_the_model(runtime: Runtime, wrong: NDArray[np.uint8]) -> None:
    with pytest.raises(ImageError, match=r"imagenet-lite0@1\.0\.0 classify\.int8\.onnx") as caught:
        runtime.classify(wrong)
    assert caught.value.reason is Reason.MODEL_FAILED


def test_a_model_that_cannot_be_loaded_is_named(bundle: Bundle, tmp_path: Path) -> None:
    draft = ManifestDraft.model_validate(bundle.manifest.model_dump(exclude={"files"}))
    broken = write_bundle(tmp_path, draft, dict(bundle.files) | {"classify.int8.onnx": b"no model"})
    with pytest.raises(BundleError, match=r"cannot load classify\.int8\.onnx"):
        Runtime(broken).classify(np.zeros((1, 224, 224, 3), np.uint8))


def test_an_output_that_the_model_lacks_is_model_failed(bundle: Bundle, tmp_path: Path) -> None:
    manifest = json.loads(bundle.manifest_bytes)
    manifest["tasks"][0]["outputs"]["embedding"] = "features"
    del manifest["files"]
    broken = write_bundle(tmp_path, ManifestDraft.model_validate(manifest), bundle.files)
    with pytest.raises(ImageError, match="features") as caught:
        Runtime(broken).classify(np.zeros((1, 224, 224, 3), np.uint8))
    assert caught.value.reason is Reason.MODEL_FAILED


def test_one_failing_picture_does_not_fail_its_batch(bundle: Bundle, batch: NDArray[np.uint8]) -> None:
    class FailsOnBlack(Runtime):
        def classify(self, batch: NDArray[np.uint8]):  # type: ignore[no-untyped-def]
            if (batch.reshape(len(batch), -1).max(axis=1) == 0).any():
                raise ImageError(Reason.MODEL_FAILED, "black")
            return super().classify(batch)

    pictures = batch.copy()
    pictures[1] = 0
    results = FailsOnBlack(bundle).classify_each(pictures)
    assert [isinstance(result, ImageError) for result in results] == [False, True, False, False]
    expected = Runtime(bundle).classify(batch[2:3])
    third = results[2]
    assert not isinstance(third, ImageError)
    np.testing.assert_allclose(third.embeddings, expected.embeddings, atol=1e-5)


def spec(**changes: object) -> InputSpec:
    return InputSpec.model_validate({"name": "image", "height": 20, "width": 20, "resize": "stretch"} | changes)


def test_resize_policies() -> None:
    picture = np.zeros((40, 80, 3), np.uint8)
    picture[:, 20:60] = (200, 10, 10)
    stretched = model_input(picture, None, spec())
    assert stretched.shape == (20, 20, 3)
    assert (stretched[:, 0] == 0).all() and (stretched[10, 10] == (200, 10, 10)).all()
    assert (model_input(picture, None, spec(resize="crop")) == (200, 10, 10)).all()
    padded = model_input(picture, None, spec(resize="pad"))
    assert (padded[:5] == 255).all() and (padded[15:] == 255).all()
    assert (padded[5:15, 10] == (200, 10, 10)).all() and (padded[5:15, 0] == 0).all()


def test_box_policy() -> None:
    picture = np.zeros((100, 100, 3), np.uint8)
    picture[40:60, 30:70] = 255
    box = (30.0, 40.0, 70.0, 60.0)
    assert (model_input(picture, box, spec(region="box")) == 255).all()
    assert not (model_input(picture, box, spec(region="box", box_margin=0.2)) == 255).all()
    assert not (model_input(picture, box, spec(region="image")) == 255).all()
    without_area = model_input(picture, (5.0, 5.0, 5.0, 5.0), spec(region="box"))
    np.testing.assert_array_equal(without_area, model_input(picture, None, spec(region="box")))
    outside = model_input(picture, (-20.0, -20.0, 500.0, 500.0), spec(region="box", box_margin=0.5))
    np.testing.assert_array_equal(outside, model_input(picture, None, spec()))


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 500, 3), (500, 1, 3), (3, 7, 3)])
@pytest.mark.parametrize("resize", ["stretch", "crop", "pad"])
def test_odd_pictures_still_get_the_models_size(shape: tuple[int, int, int], resize: str) -> None:
    prepared = model_input(np.full(shape, 7, np.uint8), None, spec(resize=resize))
    assert prepared.shape == (20, 20, 3)
    assert prepared.flags.c_contiguous


def test_input_must_be_color_pixels() -> None:
    with pytest.raises(ValueError, match=r"\(5, 5\) uint8"):
        model_input(np.zeros((5, 5), np.uint8), None, spec())


def test_vnni_is_read_from_the_cpus_flags() -> None:
    assert has_vnni("processor : 0\nflags\t\t: fpu avx2 avx512_vnni\n")
    assert has_vnni("flags : avx_vnni\n")
    assert not has_vnni("flags\t\t: fpu avx2 avx512f\nbugs : avx_vnni\n")
    assert not has_vnni("")


def test_bfloat16_is_read_from_the_cpus_flags() -> None:
    assert has_bfloat16("flags : fpu avx512_bf16 avx512_vnni\n") and has_bfloat16("flags\t: amx_bf16\n")
    assert not has_bfloat16("flags : fpu avx512f avx512_vnni\nbugs : amx_bf16\n") and not has_bfloat16("")


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the exact int8 mode exists on x86 only")
def test_exact_int8_mode_gives_what_this_cpu_gives(
    bundle: Bundle, batch: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    default = new_session(bundle.files["classify.int8.onnx"]).run(["logits"], {"image": batch})[0]
    monkeypatch.setattr("models.session.int8_products_may_saturate", lambda: True)
    exact = new_session(bundle.files["classify.int8.onnx"])
    assert exact.get_session_options().get_session_config_entry("session.x64quantprecision") == "1"
    np.testing.assert_array_equal(exact.run(["logits"], {"image": batch})[0], default)
