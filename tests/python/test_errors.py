"""Every mistake is one exception that says what is wrong and what would be right."""

import logging

import numpy as np
import pytest

import cssrun


@pytest.mark.parametrize("make, error, text", [
    (lambda x: x[:, :31], ValueError, r"\(20, 31, 32, 3\).*\(32, 32, 3\) or \(3, 32, 32\)"),
    (lambda x: x[0, 0], ValueError, r"shape \(32, 3\)"),
    (lambda x: x[None], ValueError, r"\(1, 20, 32, 32, 3\)"),
    (lambda x: x.astype(np.float64), TypeError, "float64.*uint8, or float32 from 0 to 1"),
    (lambda x: x.astype(">f4"), TypeError, ">f4"),
    (lambda x: x.astype(np.int8), TypeError, "int8"),
    (lambda x: "picture.png", TypeError, "uint8"),
    (lambda x: None, TypeError, "object"),
    (lambda x: x.tolist(), TypeError, "int64"),
    (lambda x: x.astype(np.float32), ValueError, "image 0: .*from 0 to 1 and are not yet norm"),
])
def test_images_that_do_not_fit(net, images, make, error, text):
    with pytest.raises(error, match=text):
        net.run(make(images))


def test_the_first_image_that_fails_is_the_error(net, images):
    floats = images.astype(np.float32) / np.float32(255)
    floats[[7, 13], 5, 5, 1] = [np.nan, 2]
    for threads in (1, 4):
        with pytest.raises(ValueError, match="image 7: pixel number 496 is nan"):
            net.run(floats, threads=threads)
    with pytest.raises(ValueError, match="^pixel number 496 is 2"):
        net.run(floats[13])


@pytest.mark.parametrize("options, error, text", [
    (dict(layout="CHW"), ValueError, r"takes images of \(3, 32, 32\), one"),
    (dict(layout="NHWC"), ValueError, '"HWC" or "CHW", not "NHWC"'),
    (dict(record_spikes=["conv99"]), ValueError, "no layer conv99; there are image, "),
    (dict(record_spikes=[10]), IndexError, "layer 10; the network has 10"),
    (dict(record_membranes="image"), TypeError, "lists of layers"),
    (dict(record_spikes=[1.5]), TypeError, "float"),
    (dict(early_exit="now"), ValueError, '"auto"'),
    (dict(early_exit=-1), ValueError, "at least 0"),
    (dict(early_exit=[]), TypeError, "real number"),
    (dict(time_limit=0), ValueError, "more than 0"),
    (dict(on_reading=3), TypeError, "on_reading"),
    (dict(threads=-1), TypeError, "threads"),
    (dict(colour=True), TypeError, "session"),
])
def test_options_that_cannot_be(net, images, options, error, text):
    with pytest.raises(error, match=text):
        net.run(images, **options)


@pytest.mark.parametrize("events, error, text", [
    ([[99, 0, 1]], ValueError, "event 0: step 99; the network has 12"),
    ([[0, 0, 1], [0, 99999, 1]], ValueError, "event 1: address 99999; the network has 3072"),
    ([[-1, 0, 1]], ValueError, "step -1.*out of range"),
    ([[0, 0, 7]], ValueError, "neither 1 nor -1"),
    ([[0, 0, 1], [0, 0, -1]], ValueError, "two events at step 0 of address 0"),
    ([[0, 0]], ValueError, r"shape \(1, 2\)"),
    ([[0.5, 0, 1]], TypeError, "integers"),
])
def test_events_that_cannot_be(net, events, error, text):
    with pytest.raises(error, match=text):
        net.run_events(events)


def test_files_that_are_no_networks(net_file, demo, tmp_path):
    with pytest.raises(OSError, match="/nonexistent/net.fb: "):
        cssrun.load("/nonexistent/net.fb")
    with pytest.raises(cssrun.ModelError, match="digits.onnx: not a network file"):
        cssrun.load(demo / "digits.onnx")
    with pytest.raises(cssrun.ModelError, match="junk: "):
        cssrun.loads(b"junk", name="junk")
    with pytest.raises(OSError, match="descriptor 9999"):
        cssrun.load(9999)
    with pytest.raises(ValueError, match='engine is "integer" or "float"'):
        cssrun.load(net_file, engine="fast")
    with pytest.raises(TypeError):
        cssrun.load(None)
    broken = bytearray(net_file.read_bytes())
    with pytest.raises(cssrun.ModelError, match="broken: "):
        cssrun.loads(broken[: len(broken) // 2], name="broken")
    with pytest.raises(ValueError, match="one piece"):
        cssrun.loads(memoryview(bytes(broken))[::2])
    assert issubclass(cssrun.ModelError, ValueError)
    assert issubclass(cssrun.StoppedError, RuntimeError)
    assert issubclass(cssrun.CancelledError, cssrun.StoppedError)
    assert issubclass(cssrun.TimedOutError, cssrun.StoppedError)


def test_limits_are_raised_and_lowered_by_name(net_file, demo, images):
    of_network = {"neurons": 10, "synapses": 10, "layers": 2, "timesteps": 11}
    for name, limit in of_network.items():
        for load in (cssrun.load, lambda path, **options: cssrun.loads(path.read_bytes(), **options)):
            with pytest.raises(cssrun.ModelError, match=f'more than the limit of {limit};.*"{name}"'):
                load(net_file, limits={name: limit})
    raised = dict.fromkeys([*of_network, "side", "pixels", "bytes", "jpeg-scans"], np.int64(10**9))
    net = cssrun.load(net_file, limits=raised)
    picture = net.read_images(demo / "test").paths[0]
    assert (net.run(images).best == cssrun.load(net_file).run(images).best).all()
    for name in ("side", "pixels", "bytes"):
        with pytest.raises(ValueError, match=f'more than the limit of 9.*"{name}"') as raised:
            cssrun.load(net_file, limits={name: 9}).read_images(picture)
        assert "--limit" not in str(raised.value)


@pytest.mark.parametrize("limits, error, text", [
    ({"fish": 3}, ValueError, "limit fish: there are neurons, synapses, layers, timesteps, side, "
                              "pixels, bytes, jpeg-scans, frames"),
    ({"layers": 0}, ValueError, "limit layers: a whole number from 1 to 2"),
    ({"layers": -1}, ValueError, "limit layers: a whole number from 1 to 2"),
    ({"layers": 2**40 + 1}, ValueError, "limit layers: a whole number from 1 to 2"),
    ({"layers": 2**80}, ValueError, "limit layers: a whole number from 1 to 2"),
    ({"layers": 1.5}, TypeError, "integer"),
    ({"layers": "9"}, TypeError, "integer"),
    ({7: 9}, TypeError, "by name"),
    (9, TypeError, "int"),
])
def test_limits_that_cannot_be(net_file, tmp_path, limits, error, text):
    with pytest.raises(error, match=text):
        cssrun.load(net_file, limits=limits)
    with pytest.raises(error, match=text):
        cssrun.loads(b"", limits=limits)
    if hasattr(cssrun, "convert"):
        with pytest.raises(error, match=text):
            cssrun.convert("no.onnx", tmp_path / "no.fb", calibration=tmp_path, limits=limits)


def test_the_log_speaks_to_logging(net_file, caplog):
    with caplog.at_level(logging.INFO):
        cssrun.load(net_file, log=logging.getLogger("cssrun").log)
    assert "10 layers, 12 timesteps" in caplog.text and "runs in integers" in caplog.text

    def fails(level, message):
        raise KeyError(message)

    with pytest.raises(KeyError, match="10 layers"):
        cssrun.load(net_file, log=fails)


def test_images_that_cannot_be_read(net, tmp_path):
    with pytest.raises(OSError, match="nowhere"):
        net.read_images(tmp_path / "nowhere")
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(ValueError, match="text.png: "):
        net.read_images([tmp_path / "text.png"])


def test_what_a_callback_raises_comes_through(net, images):
    for threads in (1, 3):
        with pytest.raises(ZeroDivisionError):
            net.run(images, threads=threads, on_reading=lambda r: 1 / 0)


def test_what_is_not_there():
    with pytest.raises(AttributeError, match="no attribute 'nothing'|has no attribute"):
        cssrun.nothing
