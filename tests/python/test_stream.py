"""Streams: every frame is answered as a run of it, with the same bits."""

import subprocess

import numpy as np
import pytest

import cssrun


@pytest.fixture(scope="module")
def settled(tmp_path_factory, demo, tools):
    path = tmp_path_factory.mktemp("network") / "settled.fb"
    subprocess.run(
        [tools / "cssconvert", demo / "digits.onnx", "-o", path, "--calibration",
         demo / "calibration", "--mean", "0.5", "--std", "0.25", "--timesteps", "5", "--beta", "2",
         "--silent", "4", "--threshold", "0.75", "--input", "direct"],
        check=True, capture_output=True)
    return cssrun.load(path)


def test_frames_are_answered_as_by_run(settled, images):
    stream, plain = settled.stream(statistics=True), settled.stream()
    frame = images[0].copy()
    for number in range(4):
        answer = stream.next(frame)
        uncounted = plain.next(frame)
        assert uncounted.logits.tobytes() == answer.logits.tobytes()
        assert uncounted.updates is None and uncounted.layer_spikes is None
        assert np.array_equal(uncounted.layer_changed, answer.layer_changed)
        expected = settled.run(frame, statistics=True)
        assert answer.frame == number
        assert answer.whole == (number == 0)
        assert answer.logits.tobytes() == expected.logits.tobytes()
        assert answer.best == expected.best
        assert np.array_equal(answer.layer_spikes, expected.spikes)
        assert np.array_equal(answer.layer_synops, expected.synops)
        frame[number, number] += 99
    assert answer.changed_pixels == 3 and 0 < answer.changed_share < 1
    assert np.all(answer.layer_touched[1:-1] >= answer.layer_changed[1:-1])


def test_changes_holds_and_resets(settled, images):
    stream = settled.stream(hold=10)
    frame = images[0].copy()
    with pytest.raises(ValueError, match="whole frame first"):
        stream.next_changes([[0, 1]])
    frame[0, 0, 0] = 100
    stream.next(frame)
    assert stream.next_changes([[0, 110]]).changed_pixels == 0
    frame[0, 0, 0] = 111
    answer = stream.next_changes([[0, 111]])
    assert np.array_equal(answer.logits, settled.run(frame).logits)
    stream.reset()
    assert stream.next(frame).frame == 0


def test_errors_say_what_to_do(settled, net, images):
    with pytest.raises(ValueError, match="--beta 2"):
        net.stream()
    with pytest.raises(ValueError, match="hold 300"):
        settled.stream(hold=300)
    stream = settled.stream()
    with pytest.raises(ValueError, match="one frame at a time"):
        stream.next(images[:2])
    with pytest.raises(TypeError):
        stream.next_changes([[0.5, 1]])
    # Nothing changed, of which NumPy makes floats.
    stream.next(images[0])
    assert stream.next_changes([]).changed_pixels == 0
    assert stream.next_changes(np.zeros((0, 2))).changed_pixels == 0
    with pytest.raises(ValueError):
        stream.next_changes([[0, 256]])
