"""Sessions on events, on the golden network of the format version that introduced them."""

import pathlib

import numpy as np
import pytest

import cssrun

GOLDEN = pathlib.Path(__file__).parent.parent / "golden" / "version6_events.fb"
STEPS = np.arange(60) ** 2 // 7
ADDRESSES = np.arange(60) * 11 % 32


@pytest.fixture(scope="module")
def timed():
    return cssrun.load(GOLDEN)


def test_a_network_says_how_it_is_read(timed, net):
    assert timed.events.step_seconds == 0.001
    assert timed.events.readout == "counts"
    assert timed.events.assumptions == ["time: steps of 0.001 s (assumed)"]
    assert timed.events.stepped == []
    assert timed.layers[0].kind == "events"
    assert net.events is None


def test_pieces_and_saved_states_change_nothing(timed):
    whole = timed.event_session()
    whole.feed(STEPS, ADDRESSES, 600)
    assert whole.now == 600
    assert whole.logits.dtype == np.float32
    assert whole.logits.sum() > 0
    assert (whole.counts(2) == whole.logits).all()
    assert whole.potentials(1).shape == (48,)
    assert whole.work["spikes"][0] == 60

    pieces = timed.event_session()
    pieces.feed(STEPS[:25], ADDRESSES[:25], int(STEPS[25]))
    state = pieces.save()
    pieces.reset()
    assert pieces.now == 0
    other = timed.event_session()
    other.restore(state)
    other.feed(STEPS[25:], ADDRESSES[25:], 600, values=np.ones(35))
    assert (other.logits == whole.logits).all()
    assert (other.potentials(1) == whole.potentials(1)).all()
    with pytest.raises(ValueError, match="damaged"):
        other.restore(state[:-1])


def test_wrong_uses_are_errors(timed, net):
    session = timed.event_session()
    with pytest.raises(ValueError, match="different lengths"):
        session.feed([1, 2], [3], 10)
    with pytest.raises(ValueError, match="negative"):
        session.feed([-1], [3], 10)
    with pytest.raises(TypeError, match="integers"):
        session.feed([0.5], [3], 10)
    with pytest.raises(ValueError, match="sort events"):
        session.feed([5, 4], [0, 0], 10)
    with pytest.raises(ValueError, match="address 99"):
        session.feed([5], [99], 10)
    with pytest.raises(ValueError, match="layer 7"):
        session.counts(7)
    session.feed([], [], 10)
    assert session.now == 10
    with pytest.raises(ValueError, match="takes images"):
        net.event_session()
    with pytest.raises(ValueError, match="takes events"):
        timed.run(np.zeros((4, 4, 2), np.uint8))
