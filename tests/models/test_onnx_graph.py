"""ONNX graphs are read and given more outputs without the onnx package."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto, helper

from models.bundle import load_bundle
from models.ocr_models import DETECT, OcrModels
from models.onnx_graph import OnnxGraphError, read_graph, with_outputs, without_input_scaling, without_subnormals
from models.session import new_session


@pytest.fixture(scope="module")
def model() -> bytes:
    bundle = load_bundle()
    return bundle.files[bundle.task("classify").file]


def test_nodes_and_outputs_are_those_that_onnxruntime_sees(model: bytes) -> None:
    graph = read_graph(model)
    assert list(graph.outputs) == [output.name for output in new_session(model).get_outputs()]
    made = [name for node in graph.nodes for name in node.outputs]
    assert len(made) == len(set(made)) and set(graph.outputs) <= set(made)


def test_the_source_of_a_quantized_output_is_the_layer_behind_it(model: bytes) -> None:
    graph = read_graph(model)
    head = graph.source("category")
    assert head is not None and head.operator == "Gemm"
    pool = graph.source(head.inputs[0])
    assert pool is not None and pool.operator == "ReduceMean"
    assert graph.maker("image") is None and graph.source("image") is None


def test_more_outputs_leave_the_others_as_they_were(model: bytes) -> None:
    graph = read_graph(model)
    head = graph.source("category")
    assert head is not None
    pool = graph.source(head.inputs[0])
    assert pool is not None
    picture = np.random.default_rng(0).integers(0, 256, (1, 224, 224, 3), dtype=np.uint8)
    plain = new_session(model).run(["category"], {"image": picture})[0]
    tapped = new_session(with_outputs(model, [pool.inputs[0], head.inputs[1]]))
    logits, features, weights = tapped.run(["category", pool.inputs[0], head.inputs[1]], {"image": picture})
    np.testing.assert_array_equal(logits, plain)
    assert features.shape[0] == 1 and features.ndim == 4
    assert sorted(weights.shape) == sorted((plain.shape[1], features.shape[1]))


@pytest.mark.parametrize("content", [b"", b"no model", b"\x3a\xff\xff\xff\x7fabc", bytes(range(256))])
def test_other_bytes_are_refused(content: bytes) -> None:
    with pytest.raises(OnnxGraphError):
        read_graph(content)


def test_a_model_that_is_cut_off_is_refused(model: bytes) -> None:
    with pytest.raises(OnnxGraphError, match="cut off"):
        read_graph(model[:-1000])


@pytest.mark.parametrize("task", ["classify", "detect"])
def test_scaling_that_quantization_undoes_is_left_out_at_equal_outputs(task: str) -> None:
    bundle = load_bundle()
    whole = bundle.files[bundle.task(task).file]
    lean = without_input_scaling(whole)
    operators = [node.operator for node in read_graph(lean).nodes]
    assert not {"Sub", "Div"} & set(operators)
    assert len(operators) == len(read_graph(whole).nodes) - 4
    pixels = np.random.default_rng(0).integers(0, 256, (2, *bundle.task(task).input.shape), np.uint8)
    before, after = (new_session(one).run(None, {"image": pixels}) for one in (whole, lean))
    assert all(np.array_equal(*pair) for pair in zip(before, after, strict=True))
    assert without_input_scaling(lean) == lean


def test_scaling_that_changes_a_byte_stays(model: bytes) -> None:
    # 127 and 128 as floats, with which the input is brought to -1..1.
    for value, other in ((127.0, 126.5), (128.0, 120.0)):
        old, new = (np.float32(one).tobytes() for one in (value, other))
        assert model.count(old)
        changed = model.replace(old, new)
        assert without_input_scaling(changed) == changed


def test_a_model_in_floats_stays_as_it_is() -> None:
    bundle = load_bundle()
    model = bundle.files[bundle.task("understand").file]
    assert without_input_scaling(model) == model


@pytest.mark.parametrize("raw", [True, False])
def test_weights_too_small_for_a_normal_float_become_zero_and_the_others_stay(raw: bool) -> None:
    weights = np.array([0.5, 1e-40, -1e-45, 1.2e-38, -3.0, 0.0], np.float32)
    content = weights.tobytes() if raw else weights
    model = helper.make_model(
        helper.make_graph(
            [helper.make_node("Mul", ["given", "weights"], ["product"])],
            "scale",
            [helper.make_tensor_value_info("given", TensorProto.FLOAT, [6])],
            [helper.make_tensor_value_info("product", TensorProto.FLOAT, [6])],
            [helper.make_tensor("weights", TensorProto.FLOAT, [6], content, raw=raw)],
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=10,
    ).SerializeToString()
    (product,) = new_session(without_subnormals(model)).run(None, {"given": np.full(6, 2, np.float32)})
    np.testing.assert_array_equal(product, 2 * np.array([0.5, 0, 0, 1.2e-38, -3.0, 0], np.float32))


def test_the_model_that_finds_lines_of_text_gives_the_same_without_its_subnormal_weights() -> None:
    model = OcrModels().read(DETECT)
    flushed = without_subnormals(model)
    assert flushed != model, "the release has such weights no more: without_subnormals is needed no more"
    picture = np.random.default_rng(0).uniform(-1, 1, (1, 3, 64, 96)).astype(np.float32)
    before, after = (new_session(one).run(None, {"x": picture})[0] for one in (model, flushed))
    np.testing.assert_allclose(after, before, atol=1e-6)
