"""Builds the Python module with CMake: pip install --no-build-isolation runtime/python

CMAKE_ARGS in the environment goes to CMake (-DCSSRUN_CONVERTER=OFF leaves cssrun.convert out).
CSSRUN_BUILD names an existing build folder of this tree to take the module from.
"""

import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = pathlib.Path(__file__).resolve().parents[2]


class BuildWithCMake(build_ext):
    def build_extension(self, ext):
        given = os.environ.get("CSSRUN_BUILD")
        folder = pathlib.Path(given or self.build_temp).resolve()
        if not given:
            subprocess.run(
                ["cmake", "-G", "Ninja", "-S", ROOT, "-B", folder, "-DCMAKE_BUILD_TYPE=Release",
                 "-DCSSRUN_PYTHON=ON", "-DCSSRUN_TESTS=OFF", "-DCSSRUN_BENCH=OFF",
                 f"-DPython_EXECUTABLE={sys.executable}",
                 *shlex.split(os.environ.get("CMAKE_ARGS", ""))],
                check=True)
        subprocess.run(["cmake", "--build", folder, "--target", "cssrun_python"], check=True)
        built = pathlib.Path(self.get_ext_fullpath(ext.name))
        built.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / "runtime/python/cssrun" / built.name, built)


version = re.search(r"^project\(cssrun VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text(), re.M)
setup(
    version=version[1],
    ext_modules=[Extension("cssrun._cssrun", sources=[])],
    cmdclass={"build_ext": BuildWithCMake},
)
