"""Sessions on events, on the golden network of the format version that introduced them."""

import pathlib
import subprocess
import sys

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
    # Not: images of another shape.
    with pytest.raises(ValueError, match=r"event_session\(\)"):
        timed.run(np.zeros((32, 32, 3), np.uint8))
    for until in (-1, 2**64):
        with pytest.raises(ValueError, match="a number of steps"):
            session.feed([], [], until)
    with pytest.raises(TypeError):
        session.feed([], [], 10.5)
    session.feed([], [], np.int32(11))
    assert session.now == 11


def test_a_long_feed_is_as_a_short_one(timed):
    """It has a thread of its own, so that Ctrl-C is seen."""
    steps = np.arange(20000) // 7
    addresses = np.arange(20000) * 11 % 32
    whole = timed.event_session()
    whole.feed(steps, addresses, 3000)
    pieces = timed.event_session()
    for first in range(0, 3000, 100):
        part = (steps >= first) & (steps < first + 100)
        pieces.feed(steps[part], addresses[part], first + 100)
    assert (whole.logits == pieces.logits).all()
    assert (whole.potentials(1) == pieces.potentials(1)).all()
    with pytest.raises(ValueError, match="sort events"):
        whole.feed(steps, addresses, 6000)
    assert whole.now == 3000


def test_interrupt_ends_a_feed_and_the_next_is_whole():
    """Ctrl-C, in a process of its own, at several moments of what a feed takes."""
    script = f"""
import os, signal, threading, time
import numpy as np, cssrun
session = cssrun.load({str(GOLDEN)!r}).event_session()
count = 1_000_000
steps, addresses = np.arange(count), np.arange(count) % 32
start = time.monotonic()
session.feed(steps, addresses, count)
takes = time.monotonic() - start
ended_within = 0
for share in (0.5, 0.6, 0.7, 0.8):
    session.reset()
    timer = threading.Timer(share * takes, os.kill, (os.getpid(), signal.SIGINT))
    try:
        timer.start()
        session.feed(steps, addresses, count)
        timer.join()
    except KeyboardInterrupt:
        ended_within += session.now < count
session.reset()
other = threading.Thread(target=session.feed, args=(steps[:300000], addresses[:300000], 300000))
other.start()
other.join()
print(ended_within > 0, session.now)
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert ran.stdout == "True 300000\n", ran.stderr
