"""What the tests of the Python module share: the programs, the demo, and a converted network.

CSSRUN_TOOLS_DIR names the folder of the programs; ctest sets it, and PYTHONPATH.
"""

import os
import pathlib
import subprocess

import numpy as np
import pytest

import cssrun

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEMO = ROOT / "tools/demo"
TOOLS = pathlib.Path(os.environ["CSSRUN_TOOLS_DIR"])


@pytest.fixture(scope="session")
def demo():
    return DEMO


@pytest.fixture(scope="session")
def tools():
    return TOOLS


@pytest.fixture(scope="session")
def net_file(tmp_path_factory):
    """The demo network, converted by the program."""
    path = tmp_path_factory.mktemp("network") / "digits.fb"
    subprocess.run(
        [TOOLS / "cssconvert", DEMO / "digits.onnx", "-o", path, "--calibration",
         DEMO / "calibration", "--labels", DEMO / "labels.txt", "--mean", "0.5", "--std", "0.25",
         "--timesteps", "12"],
        check=True, capture_output=True)
    return path


@pytest.fixture(scope="session")
def net(net_file):
    return cssrun.load(net_file)


@pytest.fixture(scope="session")
def images(net):
    """Twenty of the demo's test pictures, two of each class."""
    every = net.read_images(DEMO / "test")
    chosen = np.concatenate([np.flatnonzero(every.truth == c)[:2] for c in range(10)])
    return every.pixels[chosen]
