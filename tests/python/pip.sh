#!/usr/bin/env bash
# Installs the module with pip into an environment of its own, and from there runs the network of the
# tests: pip.sh PYTHON SOURCE BUILD. The compiled part is taken from BUILD; without CSSRUN_BUILD, setup.py
# would compile for minutes.
set -euo pipefail
python=$1 source_dir=$2 build_dir=$3

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# pip builds in the source tree; this copy keeps that clean.
mkdir -p "$work/source/runtime"
cp "$source_dir/CMakeLists.txt" "$work/source"
cp -r "$source_dir/runtime/python" "$work/source/runtime/python"
"$python" -m venv --system-site-packages --without-pip "$work/env"
CSSRUN_BUILD=$build_dir "$work/env/bin/python" -m pip install --quiet --no-build-isolation --no-index \
  --disable-pip-version-check --root-user-action ignore "$work/source/runtime/python" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }

cd "$work"
"$build_dir/tests/make_network" "$work" >expected
env/bin/python - "$source_dir" <<'PYTHON'
import importlib.metadata
import pathlib
import sys

import numpy as np

import cssrun

assert pathlib.Path(cssrun.__file__).is_relative_to(pathlib.Path("env").resolve()), cssrun.__file__
assert importlib.metadata.version("cssrun") == cssrun.__version__
folder = pathlib.Path(cssrun.__file__).parent
assert (folder / "py.typed").exists() and (folder / "_cssrun.pyi").exists()
net = cssrun.load("net.fb")
pixels = np.frombuffer(pathlib.Path("image.ppm").read_bytes()[-48:], np.uint8).reshape(4, 4, 3)
answers = net.run(pixels)
line = f"{net.labels[answers.best]} {answers.logits[answers.best]:.3f}"
assert line == pathlib.Path("expected").read_text().strip(), line
print("pip:", line)
PYTHON
