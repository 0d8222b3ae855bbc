"""cssrun.convert does what cssconvert does."""

import json
import pathlib
import subprocess

import numpy as np
import pytest

import cssrun

if not hasattr(cssrun, "convert"):
    pytest.skip("built without the converter", allow_module_level=True)

CODE = dict(mean=0.5, std=[0.25, 0.25, 0.25])


def test_the_same_bytes_and_report_as_the_program(demo, tools, net_file, tmp_path):
    stages = []
    report = cssrun.convert(
        demo / "digits.onnx", tmp_path / "net.fb", calibration=demo / "calibration",
        labels=(demo / "labels.txt").read_text().split(), **CODE,
        timesteps=12, progress=lambda stage, done, total: stages.append((stage, done, total)))
    assert (tmp_path / "net.fb").read_bytes() == net_file.read_bytes()
    assert ("reading images", 100, 100) in stages and ("running the ANN", 100, 100) in stages
    assert report["timesteps"] == 12 and report["calibration"]["agreement"] > 0.98
    assert len(report["layers"]) == 10


def test_a_code_that_nobody_names_is_measured(demo, tmp_path):
    report = cssrun.convert(demo / "digits.onnx", tmp_path / "net.fb",
                            calibration=demo / "calibration", **CODE)
    tried = report["tried"]
    assert [t["timesteps"] for t in tried if t["chosen"]] == [report["timesteps"]]
    assert tried[-1]["chosen"] and report["beta"] == 2
    assert report["warnings"] == [] and report["why_float"] == ""
    assert report["calibration"]["agreement"] >= 0.95
    assert cssrun.load(tmp_path / "net.fb").engine == "integer"


def test_options_reach_the_converter(demo, tools, tmp_path):
    subprocess.run(
        [tools / "cssconvert", demo / "digits.onnx", "-o", tmp_path / "program.fb",
         "--calibration", demo / "calibration/one", "--mean", "0.5", "--std", "0.25", "-T", "6",
         "--beta", "2", "--silent", "1", "--threshold", "0.6",
         "--last-threshold", "0.55", "--no-negative", "--input", "direct",
         "--amplitudes", "maximum", "--per-channel", "--adjust", "1", "--percentile", "99",
         "--report", tmp_path / "report.json"], check=True, capture_output=True)
    report = cssrun.convert(
        demo / "digits.onnx", str(tmp_path / "module.fb"), calibration=demo / "calibration/one",
        timesteps=6, beta=2, silent=1, threshold=0.6, last_threshold=0.55, negative=False, input="direct",
        amplitudes="maximum", per_channel=True, adjust=1, percentile=99, threads=1, **CODE)
    assert (tmp_path / "module.fb").read_bytes() == (tmp_path / "program.fb").read_bytes()
    assert report == json.loads((tmp_path / "report.json").read_text())


def test_images_from_arrays(demo, tmp_path):
    folder = demo / "calibration/two"
    cssrun.convert(demo / "digits.onnx", tmp_path / "folder.fb", calibration=folder, **CODE)
    net = cssrun.load(tmp_path / "folder.fb")
    pixels = net.read_images(folder).pixels
    for calibration in (pixels, pixels.transpose(0, 3, 1, 2),
                        np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))):
        report = cssrun.convert(demo / "digits.onnx", tmp_path / "array.fb",
                                calibration=calibration, validation=pixels[:2], **CODE)
        assert (tmp_path / "array.fb").read_bytes() == (tmp_path / "folder.fb").read_bytes()
        assert report["validation"]["images"] == 2
        assert report["calibration"]["ann_top1"] is None


@pytest.mark.parametrize("options, error, text", [
    (dict(timesteps=0), ValueError, "timesteps 0: between 1 and 256"),
    (dict(beta=9), ValueError, "beta 9: between 1 and 4"),
    (dict(silent=9), ValueError, "silent 9: between 0 and 8"),
    (dict(threshold=2), ValueError, "threshold 2: between 0.1 and 1.5"),
    (dict(coding="rate", beta=2), ValueError, "^beta: a rate code has none"),
    (dict(coding="morse"), ValueError, 'coding "morse": one of css, rate'),
    (dict(input="pixels"), ValueError, "one of css, direct"),
    (dict(amplitudes="large"), ValueError, "one of least-squares, maximum, percentile"),
    (dict(percentile=0), ValueError, "percentile"),
    (dict(auto=0.5, timesteps=8), ValueError, "^timesteps: auto chooses it"),
    (dict(auto=101), ValueError, "auto 101: between 0 and 100 percent"),
    (dict(agree=0.99), ValueError, "agree 0.99: between 50 and 100 percent"),
    (dict(agree=99, beta=2), ValueError, "^beta: agree is for a code that is chosen"),
    (dict(goal="energy", per_channel=True), ValueError, "^per_channel: goal chooses it"),
    (dict(goal="beauty"), ValueError, "one of energy, latency-steps, speed"),
    (dict(goal="speed", auto=1), ValueError, "^goal: auto is goal energy"),
    (dict(paper=True, coding="rate"), ValueError, "^paper: a rate code has none"),
    (dict(mean=[1, 2]), ValueError, "^mean: the model takes 3 channels"),
    (dict(mean=float("nan")), ValueError, "^mean: not a finite number"),
    (dict(std=0), ValueError, "std.*positive"),
    (dict(resize=16), ValueError, "resize 16: the model takes images of 32 x 32"),
    (dict(labels=["one"]), ValueError, "1 labels; the model has 10 classes"),
    (dict(calibration=np.zeros((4, 32, 32, 3), np.float32)), TypeError, "uint8"),
    (dict(calibration=np.zeros((4, 30, 32, 3), np.uint8)), ValueError, r"\(4, 30, 32, 3\)"),
    (dict(calibration=np.zeros((0, 32, 32, 3), np.uint8)), ValueError, "no calibration images"),
    (dict(calibration="/nonexistent"), OSError, "/nonexistent"),
    (dict(model="/nonexistent.onnx"), OSError, "/nonexistent.onnx"),
    (dict(model=pathlib.Path(__file__)), cssrun.ModelError, "test_convert.py"),
    (dict(limits={"neurons": 100}), cssrun.ModelError, 'raise the limit "neurons"'),
    (dict(limits={"synapses": 100}), cssrun.ModelError, 'raise the limit "synapses"'),
    (dict(limits={"pixels": 100}), OSError, 'raise the limit "pixels"'),
])
def test_mistakes(demo, tmp_path, options, error, text):
    given = dict(model=demo / "digits.onnx", output=tmp_path / "net.fb",
                 calibration=demo / "calibration/one")
    with pytest.raises(error, match=text):
        cssrun.convert(**(given | options))
    assert not (tmp_path / "net.fb").exists()


def test_what_progress_raises_ends_the_conversion(demo, tmp_path):
    def stop(stage, done, total):
        if stage != "reading images":
            raise InterruptedError(stage)

    with pytest.raises(InterruptedError):
        cssrun.convert(demo / "digits.onnx", tmp_path / "net.fb", progress=stop,
                       calibration=demo / "calibration", **CODE)
    assert not (tmp_path / "net.fb").exists()
