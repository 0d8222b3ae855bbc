"""The GIL is released, objects live as long as they are needed, and runs can be ended."""

import gc
import os
import signal
import subprocess
import sys
import threading
import time
import weakref

import numpy as np
import pytest

import cssrun


def test_python_goes_on_while_a_network_runs(net, images):
    """Without the GIL's release, this thread could not look even once while the other runs."""
    batch = np.broadcast_to(images[0], (400, *images[0].shape))
    looks = []
    began, ended = threading.Event(), threading.Event()

    def run():
        began.set()
        net.run(batch, threads=1)
        ended.set()

    runner = threading.Thread(target=run)
    interval = sys.getswitchinterval()
    # A thread that holds the GIL in C code never gives it up; one in Python does after this time.
    sys.setswitchinterval(1000)
    try:
        runner.start()
        began.wait()
        while not ended.is_set():
            looks.append(time.perf_counter())
            time.sleep(0.001)
        runner.join()
    finally:
        sys.setswitchinterval(interval)
    assert len(looks) > 20


def test_threads_share_a_network_and_a_session(net, images):
    expected = net.run(images).logits
    session = net.session(threads=1)
    wrong = []

    def run(use):
        for _ in range(5):
            if not np.array_equal(use.run(images).logits, expected):
                wrong.append(use)

    threads = [threading.Thread(target=run, args=(use,)) for use in (net, session, session, session)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_cancel_ends_a_run_in_another_thread(net, images):
    session = net.session(threads=2)
    batch = np.broadcast_to(images[0], (100_000, *images[0].shape))  # a minute's work
    errors = []
    reached = threading.Event()

    def run():
        try:
            session.run(batch)
        except cssrun.CancelledError as error:
            errors.append(str(error))
        reached.set()

    thread = threading.Thread(target=run)
    thread.start()
    while not reached.wait(0.05):
        session.cancel()
    thread.join()
    assert len(errors) == 1 and "cancelled" in errors[0]
    session.cancel()  # nothing is on
    assert session.run(images).logits.shape == (20, 10)


def test_interrupt_ends_a_run(net_file, tmp_path):
    """Ctrl-C, in a process of its own."""
    script = f"""
import numpy as np, cssrun
net = cssrun.load({str(net_file)!r})
print("begins", flush=True)
try:
    net.run(np.broadcast_to(np.uint8(7), (200000, 32, 32, 3)))
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "begins\n"
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    assert process.stdout.read() == "interrupted\n"
    assert process.wait() == 0


def test_everything_outlives_what_it_came_from(net_file, images):
    data = net_file.read_bytes()
    expected = cssrun.load(net_file).run(images).logits
    session = cssrun.loads(bytearray(data)).session()
    gc.collect()
    answers = session.run(images.copy(), layout="HWC")
    recording = cssrun.load(net_file).run(images[:1], record_spikes=[0]).recordings[0]
    labels = cssrun.load(net_file).layers[0]
    del session
    gc.collect()
    assert np.array_equal(answers.logits, expected)
    assert recording.spikes.any() and labels.name
    with open(net_file, "rb") as file:
        from_descriptor = cssrun.load(file.fileno())
        assert file.read(4) == data[:4]  # its position is as it was
    assert np.array_equal(from_descriptor.run(images).logits, expected)
    # Arrays of answers are the caller's: writing to one changes no other.
    first = from_descriptor.run(images)
    first.logits[:] = 0
    assert np.array_equal(from_descriptor.run(images).logits, expected)


def test_nothing_keeps_the_images_or_the_callback(net, images):
    class Array(np.ndarray):
        pass

    batch = images.copy().view(Array)
    gone = weakref.ref(batch)
    answers = net.run(batch)
    del batch
    gc.collect()
    assert gone() is None and answers.logits.shape == (20, 10)

    class Watch:
        def __call__(self, reading):
            pass

    watch = Watch()
    gone = weakref.ref(watch)
    session = net.session(on_reading=watch)
    session.run(images)
    del watch, session
    gc.collect()
    assert gone() is None


def test_memory_does_not_grow(net, images):
    def resident():
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def some_runs():
        for _ in range(60):
            net.run(images[:2], record_spikes=[0, 1], readings=True)
            with pytest.raises(ValueError):
                net.run(images[:2], layout="CHW")

    some_runs()
    before = resident()
    some_runs()
    # 60 runs record 60 * 0.5 MB: a leak of any of it would show.
    assert resident() - before < 8 << 20
