"""Answers: the same bits as the program's, whatever the layout, type, batch and threads."""

import io
import json
import subprocess

import numpy as np
import pytest

import cssrun


def test_logits_are_those_of_the_program_to_the_last_bit(net, net_file, demo, tools):
    output = subprocess.run(
        [tools / "cssrun", net_file, demo / "test", "--format", "jsonl", "--topk", "10"],
        check=True, capture_output=True, text=True).stdout
    lines = [json.loads(line) for line in output.splitlines()]
    images = net.read_images(demo / "test")
    assert [line["path"] for line in lines] == images.paths
    answers = net.run(images.pixels)
    expected = np.empty_like(answers.logits)
    for row, line in zip(expected, lines):
        for guess in line["top"]:
            row[guess["index"]] = guess["logit"]
    assert answers.logits.dtype == np.float32 and len(lines) == 200
    assert answers.logits.tobytes() == expected.tobytes()
    assert [net.labels[best] for best in answers.best] == [l["top"][0]["label"] for l in lines]
    assert answers.steps.tolist() == [line["steps"] for line in lines]
    assert [net.labels[t] for t in images.truth] == [line["truth"] for line in lines]


@pytest.mark.parametrize("engine", ["integer", "float"])
def test_every_layout_is_the_same_image(net_file, images, engine):
    net = cssrun.load(net_file, engine=engine)
    assert net.engine == engine
    batch = images[:3]
    expected = net.run(batch).logits
    floats = batch.astype(np.float32) / np.float32(255)
    planar = np.ascontiguousarray(batch.transpose(0, 3, 1, 2))
    padded = np.zeros((3, 32, 32, 4), np.uint8)
    padded[..., :3] = batch
    unaligned = np.frombuffer(b"x" + floats.tobytes(), np.uint8)[1:].view(np.float32)
    backwards = np.ascontiguousarray(batch[:, :, ::-1])[:, :, ::-1]
    for view, in_place in [
        (batch, True),
        (floats, True),
        (planar, True),
        (planar.transpose(0, 2, 3, 1), True),  # as torch's channels come: seen as HWC, lie as CHW
        (batch.transpose(0, 3, 1, 2), True),
        (np.repeat(batch, 2, axis=0)[::2], True),  # every second image
        (batch[::-1][::-1], True),
        (padded[..., :3], False),
        (backwards, False),
        (unaligned.reshape(floats.shape), False),
    ]:
        assert cssrun._cssrun._reads_in_place(net, view) == in_place
        assert np.array_equal(net.run(view).logits, expected)
    assert np.array_equal(net.run(batch[::-1]).logits, expected[::-1])
    frozen = batch.copy()
    frozen.flags.writeable = False
    assert np.array_equal(net.run(frozen).logits, expected)


def test_one_image_is_a_batch_of_one_without_its_dimension(net, images):
    one, batch = net.run(images[0], statistics=True), net.run(images[:1])
    assert one.logits.shape == (10,) and batch.logits.shape == (1, 10)
    assert np.array_equal(one.logits, batch.logits[0])
    assert batch.spikes is None and batch.synops is None and batch.macs is None
    assert one.spikes.shape == (len(net.layers),) and one.best.shape == ()
    assert net.run(images[:0]).logits.shape == (0, 10)


def test_threads_and_options_do_not_change_the_answers(net, images):
    expected = net.run(images, threads=1, statistics=True)
    for options in [dict(threads=2), dict(threads=5), dict(latency=True, threads=2),
                    dict(profile=True), dict(readings=True), dict(record_membranes=[1]),
                    dict(on_reading=lambda reading: True)]:
        assert np.array_equal(net.run(images, **options).logits, expected.logits)
        counted = net.run(images, **{"statistics": True, **options})
        assert np.array_equal(counted.logits, expected.logits)
        assert np.array_equal(counted.spikes, expected.spikes)
    for options in [dict(profile=True), dict(readings=True), dict(on_reading=lambda reading: True)]:
        assert np.array_equal(net.run(images, **options).spikes, expected.spikes)
    session = net.session(threads=2)
    for _ in range(3):
        assert np.array_equal(session.run(images).logits, expected.logits)


def test_statistics_are_the_programs(net, net_file, demo, tools, tmp_path):
    subprocess.run([tools / "cssrun", net_file, demo / "test", "--summary", tmp_path / "s.json"],
                   check=True, capture_output=True)
    summary = json.loads((tmp_path / "s.json").read_text())
    answers = net.run(net.read_images(demo / "test").pixels, statistics=True)
    assert [layer.name for layer in net.layers] == [layer["name"] for layer in summary["layers"]]
    spikes = [layer["spikes"] for layer in summary["layers"]]
    assert answers.spikes.mean(0) == pytest.approx(spikes)
    assert answers.synops.sum(1).mean() == pytest.approx(summary["synops_per_image"])
    assert (answers.macs == 0).all() and (answers.seconds > 0).all()
    assert answers.layer_seconds is None and answers.readings is None
    assert not answers.recordings
    profiled = net.run(net.read_images(demo / "test").pixels[:2], profile=True, threads=1)
    assert (profiled.layer_seconds.sum(1) <= profiled.seconds).all()
    assert (profiled.layer_seconds.sum(1) > 0).all()


def test_recorded_spikes_are_those_that_are_counted(net, images):
    names = [layer.name for layer in net.layers[:-1]]
    answers = net.run(images[:3], record_spikes=names, record_membranes=[1, names[1]],
                      statistics=True)
    assert list(answers.recordings) == [*names, 1]
    for i, layer in enumerate(net.layers[:-1]):
        spikes = answers.recordings[layer.name].spikes
        assert spikes.dtype == np.int8 and spikes.shape == (3, net.timesteps, *layer.shape)
        assert np.array_equal(np.abs(spikes).sum((1, 2, 3, 4)), answers.spikes[:, i])
    membranes = answers.recordings[1].membranes
    assert membranes.dtype == np.float32
    assert membranes.shape == (3, net.timesteps + 2, *net.layers[1].shape)
    assert answers.recordings[1].spikes is None
    assert np.array_equal(answers.recordings[names[1]].membranes, membranes)
    # The encoder's spikes stand for the pixels: a spike at step i for amplitude * beta^(T-1-i).
    code = answers.recordings[names[0]].spikes.astype(np.float64)
    value = np.tensordot(1.5 ** np.arange(net.timesteps - 1, -1, -1), code, (0, 1))
    pixels = (images[:3].transpose(0, 3, 1, 2) / 255 - 0.5) / 0.25
    assert np.corrcoef(value.ravel(), pixels.ravel())[0, 1] > 0.9999


def test_events_take_the_place_of_the_encoder(net, images):
    answers = net.run(images[:1], record_spikes=[0])
    spikes = answers.recordings[0].spikes[0].reshape(net.timesteps, -1)
    step, address = np.nonzero(spikes)
    events = np.stack([step, address, spikes[step, address]], axis=1)
    by_events = net.run_events(np.random.default_rng(1).permutation(events), record_spikes=[0])
    assert np.array_equal(by_events.logits, answers.logits[0])
    assert np.array_equal(by_events.recordings[0].spikes, answers.recordings[0].spikes[0])
    assert np.array_equal(net.session().run_events(events.tolist()).logits, answers.logits[0])


def test_readings_and_the_callback_see_the_same(net, images):
    seen = []
    answers = net.run(images[:4], readings=True, threads=2, on_reading=seen.append)
    assert answers.readings.shape == (4, net.timesteps, 10)
    assert np.array_equal(answers.readings[:, -1], answers.logits)
    assert len(seen) == 4 * net.timesteps
    for image in range(4):
        mine = [reading for reading in seen if reading.image == image]
        assert np.array_equal([reading.logits for reading in mine], answers.readings[image])
        assert [r.step for r in mine] == sorted({r.step for r in mine})
        assert mine[-1].step == net.latency_steps
        assert mine[-1].synops == answers.synops[image].sum()
        assert mine[0].margin >= 0


def test_the_callback_may_stop(net, images):
    answers = net.run(images[:4], readings=True,
                      on_reading=lambda r: not (r.image == 2 and r.step > net.latency_steps - 5))
    ending = [cssrun.Ending(e) for e in answers.ending]
    assert ending == [cssrun.Ending.COMPLETE] * 2 + [cssrun.Ending.STOPPED, cssrun.Ending.COMPLETE]
    assert answers.steps[2] == net.latency_steps - 4
    assert np.isnan(answers.readings[2, -4:]).all()
    assert not np.isnan(answers.readings[2, :-4]).any()
    assert np.array_equal(answers.readings[2, -5], answers.logits[2])


def test_early_exit_and_time_limit(net, images):
    sure = net.run(images, early_exit=0.0)
    assert (sure.ending == cssrun.Ending.SURE).all() and (sure.steps < net.latency_steps).all()
    assert (net.run(images, early_exit="auto").steps <= net.latency_steps).all()
    assert (net.run(images, time_limit=1000).ending == cssrun.Ending.COMPLETE).all()
    with pytest.raises(cssrun.TimedOutError, match="image 0: the time limit passed"):
        net.run(images, time_limit=1e-9)
    # Slowly read, an image is late and its last reading the answer.
    import time
    late = net.run(images[0], time_limit=0.25, on_reading=lambda r: time.sleep(0.15))
    assert late.ending == cssrun.Ending.LATE and late.steps < net.latency_steps


def test_outputs_are_views_of_the_logits(net, images):
    assert net.answer == "classes" and list(net.outputs.values()) == [(net.classes,)]
    (name,) = net.outputs
    batch = net.run(images[:3])
    assert batch.outputs[name].shape == (3, net.classes)
    assert np.shares_memory(batch.outputs[name], batch.logits)
    assert np.array_equal(batch.outputs[name], batch.logits)
    single = net.run(images[0])
    assert np.array_equal(single.outputs[name], single.logits)


def test_npy_is_what_the_module_answers(net, net_file, demo, tools):
    output = subprocess.run([tools / "cssrun", net_file, demo / "test", "--format", "npy"],
                            check=True, capture_output=True).stdout
    logits = np.load(io.BytesIO(output))
    images = net.read_images(demo / "test")
    assert np.array_equal(logits, net.run(images.pixels).logits)
