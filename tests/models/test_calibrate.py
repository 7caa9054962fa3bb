import numpy as np
import pytest

from models.calibrate import fit_temperature, threshold_for


def overconfident(temperature: float, count: int = 4000):
    """Logits whose softmax at `temperature` is exactly the distribution that the labels are drawn from."""
    generator = np.random.default_rng(0)
    logits = generator.normal(0, 2, (count, 5))
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = (probabilities.cumsum(axis=1) > generator.random((count, 1))).argmax(axis=1)
    return (logits * temperature).astype(np.float32), np.eye(5, dtype=bool)[labels]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_temperature_that_made_the_logits_is_found(temperature):
    logits, right = overconfident(temperature)
    assert fit_temperature(logits, right) == pytest.approx(temperature, rel=0.06)


def test_a_label_that_stands_for_several_counts_their_sum():
    logits, right = overconfident(2.0)
    pairs = right.copy()
    pairs[right[:, 0] | right[:, 1], :2] = True
    assert fit_temperature(logits, pairs) == pytest.approx(2.0, rel=0.12)


def test_unlabelled_rows_do_not_count():
    logits, right = overconfident(2.0)
    noise = np.full((500, 5), 30, np.float32)
    noise[:, 0] = -30
    both, labels = np.vstack([logits, noise]), np.vstack([right, np.zeros((500, 5), bool)])
    assert fit_temperature(both, labels) == fit_temperature(logits, right)
    with pytest.raises(ValueError, match="no picture has a label"):
        fit_temperature(noise, np.zeros((500, 5), bool))


def test_threshold_is_the_least_at_which_enough_is_right():
    confidence = np.array([0.95, 0.9, 0.8, 0.7, 0.6, 0.5], np.float32)
    right = np.array([True, True, True, False, True, False])
    assert threshold_for(confidence, right, 0.8) == pytest.approx(0.6, abs=0.011)
    assert threshold_for(confidence, right, 1.0) == pytest.approx(0.8, abs=0.011)
    assert threshold_for(confidence, ~right, 1.0) == 0.99, "never right enough: states nothing"
    assert threshold_for(confidence, np.ones(6, bool), 0.9, least=0.65) == 0.65
