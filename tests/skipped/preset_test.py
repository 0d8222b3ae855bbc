#!/usr/bin/env python3
"""The preset that tools/test.sh configures with sets every option of the project, so that nothing that was
configured in the same folder before, such as by tools/demo.sh, decides what is tested."""

import json
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]

presets = {preset["name"]: preset for preset in
           json.loads((ROOT / "CMakePresets.json").read_text())["configurePresets"]}
tests = presets["tests"]
assert tests["inherits"] == "release" and tests["binaryDir"] == "${sourceDir}/build/release"

options = set()
for path in [ROOT / "CMakeLists.txt", *ROOT.glob("[!b]*/**/CMakeLists.txt")]:
    text = path.read_text()
    options |= set(re.findall(r"^ *option\((CSSRUN_\w+)", text, re.M))
    options |= set(re.findall(r"^ *set\((CSSRUN_\w+)[^()]*\bCACHE\b", text, re.M))
assert {"CSSRUN_MPI", "CSSRUN_PYTHON", "CSSRUN_SANITIZE"} <= options, options
missing = options - set(tests["cacheVariables"])
assert not missing, f"the preset tests does not set {missing}"
print("the preset tests sets", *sorted(options))
