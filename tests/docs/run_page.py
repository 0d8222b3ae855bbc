#!/usr/bin/env python3
"""Runs every command of a page of documentation: run_page.py SOURCE BUILD PAGE

In a folder like the source tree, with build/release built, the programs on PATH, and beside it a
shared/ with a few images. By the word after the fence:

    sh          all of a page's blocks, one after another in one shell, each line a command
    sh long     takes too long: its arguments are parsed, see check_long()
    console     lines after "$ " are commands; the rest is what they print, where "..." stands for
                any lines and digits may differ
    python      all of a page's blocks as one program, where the module is built
    python torch    where torch is installed, too
    text        a synopsis: each option is one of the program's --help
    c, cpp      not looked at

Commands elsewhere are an error, and so are links to files that are not there.
"""

import importlib.util
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

SOURCE, BUILD, PAGE = (pathlib.Path(argument).resolve() for argument in sys.argv[1:4])
PYTHON = BUILD / "runtime/python"
DEBIANS_PYTHON = "/usr/bin/python3"

# The part of each script that takes long: reached, its arguments were understood.
WORK = {
    "bench/architectures.py": ["some_images"],
    "bench/cost.py": ["measured"],
    "bench/export_models.py": ["settle"],
    "bench/growth.py": ["measure"],
    "bench/int8.py": ["find_model"],
    "bench/paper.py": ["measure"],
    "bench/streams.py": ["measure_whole_frames"],
    "bench/tables.py": ["kernels", "networks"],
    "bench/trained.py": ["measure"],
}
# Whole commands for which something else stands in.
STAND_INS = {
    "tools/test.sh": "bash -n tools/test.sh",  # it runs this
    "tools/test.sh --fast": "bash -n tools/test.sh",
    "tools/fuzz.sh network_run 60": "test -f tests/fuzz/network_run.cc",
    "tools/fuzz.sh all 3600": "bash -n tools/fuzz.sh",  # .ci/run does it, for seconds
    "tools/coverage.sh": "bash -n tools/coverage.sh",
    "tools/arm64/test.sh --no-tests": "bash -n tools/arm64/test.sh",
    "tools/arm64/count_instructions.sh net.fb images/ cortex-a76":
        "bash -n tools/arm64/count_instructions.sh",
    "tools/arm64/count_xnnpack.sh mobilenet cortex-a76": "bash -n tools/arm64/count_xnnpack.sh",
    "tools/arm64/count_xnnpack.sh resnet20 cortex-a76": "bash -n tools/arm64/count_xnnpack.sh",
    "build/release/tools/cssconvert ../shared/events/cnn_sinabs.nir -o build/cnn_sinabs.fb":
        "test -x build/release/tools/cssconvert",
    "build/release/bench/bench_events build/cnn_sinabs.fb ../shared/events/sample_nmnist.bin 1000 100 --thin 64":
        "test -x build/release/bench/bench_events",
    "build/release/bench/bench_events build/cnn_sinabs.fb ../shared/events/sample_nmnist.bin":
        "test -x build/release/bench/bench_events",
    # The same in small.
    "build/release/tests/fuzz/network_bytes": "build/release/tests/fuzz/network_bytes 1009",
    "build/release/tests/fuzz/network_mutants 1000000":
        "build/release/tests/fuzz/network_mutants 100",
    "tests/faults/kill_conversions.sh build/release/tools/cssconvert tools/demo 1000":
        "tests/faults/kill_conversions.sh build/release/tools/cssconvert tools/demo 1",
    "build/tsan/tests/shared_network 8 200": "build/release/tests/shared_network 8 10",
    # Programs that are not needed to test.
    "npm install --ignore-scripts --prefix build/onnxruntime onnxruntime-node@1.30.0": "true",
    "clang-format-14 -i runtime/session.cc": "test -f runtime/session.cc",
    "clang-tidy-14 -p build/debug --quiet runtime/session.cc": "test -f runtime/session.cc",
    "perf record -e cpu-clock -g -o perf.data cssrun net.fb images/ --threads 1":
        "cssrun net.fb images/ --threads 1",
    "perf report -i perf.data --no-children --stdio -g none": "true",
    "valgrind --tool=callgrind --callgrind-out-file=calls.out cssrun net.fb images/ --threads 1":
        "cssrun net.fb images/ --threads 1",
    "callgrind_annotate calls.out": "true",
    "valgrind --tool=cachegrind --I1=32768,4,64 --D1=32768,4,64 --LL=524288,16,64 cssrun net.fb "
    "images/ --threads 1": "cssrun net.fb images/ --threads 1",
    "build/release/bench/bench_networks build/models/resnet18-cifar.onnx "
    "build/networks/int8/resnet18-cifar.fb ../shared/cifar10/test --most 20 --threads 2 --batch 1":
        "build/release/bench/bench_networks --help | grep -- --threads >/dev/null",
    "build/release/bench/bench_networks ../shared/models/resnet20.onnx "
    "build/networks/resnet20-5.fb ../shared/cifar10/test":
        "build/release/bench/bench_networks --help",
    # ResultsTest.BenchNetworksPrintsARowForEachContenderAndNumberOfThreads runs one.
    "build/release/bench/bench_networks --threads 1,2 --format md ../shared/models/resnet20.onnx "
    "build/networks/resnet20-5.fb ../shared/cifar10/test":
        "build/release/bench/bench_networks --help | grep -c -- --format",
    # OpponentTest.StandsBesideTheOthersInTheResult runs one that counts.
    "build/release/bench/bench_networks ../shared/models/resnet20.onnx "
    "build/networks/int8/resnet20.fb ../shared/cifar10/test --batch 1":
        "build/release/bench/bench_networks --help | grep -c -- --batch",
    "build/release/bench/bench_silence build/networks/int8/resnet20.fb ../shared/cifar10/test":
        "build/release/bench/bench_silence --help",
    "build/release/tests/soak": "build/release/tests/soak 1000 100",
    "build/release/tests/shared_network": "build/release/tests/shared_network 8 10",
    "python3 -m venv --system-site-packages env": "python3 -m venv --help >/dev/null",
    # MpirunTest.TheCommandOfTheDocumentation runs it.
    "mpirun -n 4 --hostfile machines --map-by node --bind-to none cssrun net.fb images/ "
    "--resume results.jsonl": "cssrun --help | grep -c -- --resume",
    "build/release/bench/bench_networks ../shared/models/resnet20.onnx "
    "build/networks/resnet20-6.fb ../shared/cifar10/test --most 60 --simd AVX2":
        "build/release/bench/bench_networks --help | grep -c -- --simd",
    # SearchTest searches; this parses.
    "build/release/tools/cssconvert ../shared/models/resnet20.onnx -o build/auto.fb --calibration "
    "../shared/cifar10/calibration --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225 --auto":
        "cssconvert --help | grep -c -- --auto",
    # Install.pip installs, from a build that is there.
    "env/bin/pip install --no-build-isolation --no-index runtime/python":
        f"{DEBIANS_PYTHON} -m pip --version",
}


def fail(message):
    sys.exit(f"{PAGE.name}: {message}")


def not_run(what, why):
    """A part of the page; tests/skipped/list_skipped.py lists these."""
    print(f"not run: {what}, {why}")


def blocks_of(text):
    """(word or words after the fence, lines) of each block, and the page without them."""
    blocks, rest, info = [], [], None
    for line in text.splitlines():
        fence = re.match(r"^( *)```(.*)$", line)
        if fence and info is None:
            info, indent, lines = fence[2].strip(), len(fence[1]), []
        elif fence:
            blocks.append((info, lines))
            info = None
        elif info is not None:
            lines.append(line[indent:])
        else:
            rest.append(line)
    if info is not None:
        fail("a block does not end")
    return blocks, rest


def check_prose(lines):
    for line in lines:
        if re.match(r"^\s{4,}(\$ |css(run|convert|inspect) |(tools|bench|build)/)", line):
            fail(f"a command outside of a fenced block: {line.strip()}")
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", line):
            if not (PAGE.parent / target).exists():
                fail(f"a link to {target}, which is not there")


def make_tree(root):
    """What the commands find: the tree, its build, a model, images and a network."""
    tree = root / "tree"
    tree.mkdir()
    for path in SOURCE.iterdir():
        if path.name not in ("build", "tools", ".git"):
            (tree / path.name).symlink_to(path)
    (tree / "tools").mkdir()
    for path in (SOURCE / "tools").iterdir():
        if path.name != "install_packages.sh":
            (tree / "tools" / path.name).symlink_to(path)
    write_script(tree / "tools/install_packages.sh", "exit 0")
    (tree / "build").mkdir()
    (tree / "build/release").symlink_to(BUILD)

    demo = SOURCE / "tools/demo"
    (tree / "model.onnx").symlink_to(demo / "digits.onnx")
    (tree / "names.txt").symlink_to(demo / "labels.txt")
    # Few, to be quick; copied, since links to folders are not followed.
    for digit in ("one", "two"):
        shutil.copytree(demo / "calibration" / digit, tree / "images" / digit)
    for name in ("calibration", "test"):
        (root / "shared/cifar10").mkdir(parents=True, exist_ok=True)
        (root / "shared/cifar10" / name).symlink_to(demo / "calibration/one")
    (root / "shared/streams/clip").mkdir(parents=True)
    grey = bytes(40 + 5 * (i % 32) for i in range(32 * 32 * 3))
    (tree / "image.ppm").write_bytes(b"P6\n32 32\n255\n" + grey)
    return tree


def write_script(path, text):
    path.write_text(f"#!/bin/bash\n{text}\n")
    path.chmod(0o755)


def make_network(tree, environment):
    """As a person who reads on has it."""
    subprocess.run(["cssconvert", "model.onnx", "-o", "net.fb", "--calibration", "images",
                    "--labels", "names.txt", "--mean", "0.5", "--std", "0.25",
                    "--timesteps", "12"],
                   cwd=tree, env=environment, check=True, capture_output=True)
    (tree / "build/networks").mkdir(exist_ok=True)
    shutil.copy(tree / "net.fb", tree / "build/networks/resnet20-5.fb")


def environment_for(root):
    # Everything is configured and built; the project's presets have nothing left to do.
    (root / "bin").mkdir()
    write_script(root / "bin/cmake",
                 f'case "$*" in *--preset*) exit 0 ;; esac\nexec {shutil.which("cmake")} "$@"')
    return dict(os.environ, PATH=f"{root}/bin:{BUILD}/tools:{os.environ['PATH']}",
                PYTHONPATH=str(PYTHON), PYTHONDONTWRITEBYTECODE="1", CMAKE_GENERATOR="Ninja",
                CMAKE_BUILD_TYPE="Debug")


def run_shell(script, tree, environment):
    """Returns standard output and error as a terminal shows them."""
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=tree, env=environment,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace")
    if done.returncode != 0:
        fail(f"exit code {done.returncode} of:\n{script}\n{done.stdout}")
    return done.stdout


def run_console(lines, tree, environment):
    """Output that is in the page itself belongs to the command before it."""
    if not lines[0].startswith("$ "):
        fail(f"a console block begins with a command, not with {lines[0]}")
    output = run_shell(lines[0][2:], tree, environment)
    printed = re.sub(r"\d+", "0", output)
    # A "$ " further on is printed by the command, which shows what it does.
    pattern = "".join(
        r"(?:.*\n)*?" if line.strip() == "..." else re.escape(re.sub(r"\d+", "0", line)) + r"[ ]*\n"
        for line in lines[1:])
    if not re.search(pattern, printed):
        fail(f"{lines[0]} prints\n{output}\nwhich is not\n" + "\n".join(lines[1:]))


class UnderstoodError(Exception):
    pass


def check_long(command, tree, environment):
    words = shlex.split(command, comments=True)
    if shlex.join(words) in STAND_INS:
        run_shell(STAND_INS[shlex.join(words)], tree, environment)
    elif words[0] in WORK:
        check_script(words, tree)
    elif words[0] in ("cmake", "ctest") and "--preset" in words:
        check_preset(command, words, tree, environment)
    elif "--gtest_filter" in command:
        listed = run_shell(command + " --gtest_list_tests", tree, environment)
        if "\n  " not in listed:
            fail(f"{command} runs no tests")
    elif "--benchmark_filter" in command:
        if not run_shell(command + " --benchmark_list_tests", tree, environment).startswith("BM_"):
            fail(f"{command} runs no benchmark")
    else:
        fail(f"a long command that nothing stands in for: {command}")


def check_preset(command, words, tree, environment):
    """That there is such a preset, and that ctest finds tests where they are built."""
    kind = {"cmake": "configurePresets", "ctest": "testPresets"}[words[0]]
    if "--build" in words:
        kind = "buildPresets"
    name = words[words.index("--preset") + 1]
    presets = json.loads((SOURCE / "CMakePresets.json").read_text())[kind]
    if name not in [preset["name"] for preset in presets if not preset.get("hidden")]:
        fail(f"{command}: none of the {kind} is {name}")
    if kind == "testPresets" and name in ("release", "fast"):
        if re.search(r"^Total Tests: 0$", run_shell(command + " -N", tree, environment), re.M):
            fail(f"{command} runs no tests")


def check_script(words, tree):
    """Calls the script's main with the work replaced."""
    compile((SOURCE / words[0]).read_text(), words[0], "exec")
    sys.path.insert(0, str((SOURCE / words[0]).parent))
    spec = importlib.util.spec_from_file_location("script", SOURCE / words[0])
    script = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(script)
    except ImportError as error:
        not_run(words[0], error)
        return

    def understood(*arguments):
        raise UnderstoodError

    for name in WORK[words[0]]:
        if not callable(getattr(script, name)):
            fail(f"{words[0]} has no {name}")
        setattr(script, name, understood)
    before = os.getcwd()
    os.chdir(tree)
    sys.argv = words
    try:
        script.main()
    except UnderstoodError:
        return
    except SystemExit as error:
        fail(f"{shlex.join(words)}: {error}")
    finally:
        os.chdir(before)
    fail(f"{shlex.join(words)} did nothing")


def check_synopsis(lines, environment):
    text = " ".join(lines)
    program = text.split()[0]
    shown = subprocess.run([program, "--help"], env=environment, capture_output=True, text=True,
                           check=True).stdout
    for option in re.findall(r"--[a-z0-9-]+", text):
        if not re.search(rf"(^|[ ,]){option}([ ,\[=\n]|$)", shown):
            fail(f"{program} --help has no {option}")


def has_module(name):
    return subprocess.run([DEBIANS_PYTHON, "-c", f"import {name}"], capture_output=True,
                          env=dict(os.environ, PYTHONPATH=str(PYTHON))).returncode == 0


def run_python(code, tree, environment):
    for page_code in code:
        compile(page_code, PAGE.name, "exec")
    done = subprocess.run([DEBIANS_PYTHON, "-c", "\n".join(code)], cwd=tree, env=environment,
                          capture_output=True, text=True)
    if done.returncode != 0:
        fail(f"{done.stdout}{done.stderr}")
    return done.stdout


def check_embedding(tree, environment, output):
    """What the examples of embedding.md say: all the same, and what cssrun does."""
    line = subprocess.run(["cssrun", "net.fb", "image.ppm", "--format", "csv"], cwd=tree,
                          env=environment, capture_output=True, text=True, check=True)
    _, _, label, _, logit = line.stdout.splitlines()[1].split(",")[:5]
    answers = [f"{label} {float(logit):.3f}" == answer for answer in output.splitlines()]
    # On a busy machine some come too late for the example's budget.
    frames = len(re.findall(r"^frame", output, re.M)) + int(re.search(r"(\d+) dropped", output)[1])
    if sum(answers) != 3 or frames != 3:
        fail(f"expected {label} {logit} three times, and three frames:\n{output}")


def main():
    blocks, prose = blocks_of(PAGE.read_text())
    check_prose(prose)
    if not blocks:
        return
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        tree, environment = make_tree(root), environment_for(root)
        if any(info in ("sh", "python") for info, _ in blocks):
            make_network(tree, environment)
        shell, code, counts = [], [], {}
        for info, lines in blocks:
            counts[info] = counts.get(info, 0) + 1
            joined = "\n".join(lines)
            if info == "sh":
                shell.append(joined)
            elif info == "sh long":
                for command in joined.replace("\\\n", " ").splitlines():
                    check_long(command, tree, environment)
            elif info == "console":
                run_console(lines, tree, environment)
            elif info == "python":
                code.append(joined)
            elif info == "python torch":
                compile(joined, PAGE.name, "exec")
                if has_module("torch"):
                    # Of any model.
                    model = ("import torch\nmodel = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 3),"
                             "torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(1800, 2))\n")
                    (tree / "model.onnx").unlink()
                    run_python([model, joined], tree, environment)
                    run_shell("cssconvert model.onnx -o own.fb --calibration images", tree,
                              environment)
                    (tree / "model.onnx").unlink()
                    (tree / "model.onnx").symlink_to(SOURCE / "tools/demo/digits.onnx")
                else:
                    not_run("a block of python torch", f"{DEBIANS_PYTHON} has no torch")
            elif info == "text":
                check_synopsis(lines, environment)
            elif info not in ("c", "cpp"):
                fail(f"a block of \"{info}\": say what it is, see tests/docs/run_page.py")
        output = run_shell("\n".join(shell), tree, environment) if shell else ""
        if PAGE.name == "embedding.md":
            check_embedding(tree, environment, output)
        if code and not has_module("cssrun"):
            not_run("python", "built without CSSRUN_PYTHON")
        elif code and not run_python(code, tree, environment).strip():
            fail("the Python code prints nothing")
        print(f"{PAGE.name}: " + ", ".join(f"{n} {info}" for info, n in counts.items()))


if __name__ == "__main__":
    main()
