#!/usr/bin/python3
"""Prints cssrun beside the 8-bit runtimes that people would use instead, as Markdown.

    bench/int8.py SHARED MODELS [NAME...] [--seconds 12] [--core 1] [--keep]

Converts each trained network as a user would, without a word about the code, and lets bench_networks
run it on one core, by turns with ONNX Runtime and oneDNN in 8 bits (static, with a scale for each
channel) and in float. Everything in a row comes from one run. The second table has everybody's top-1
and agreement with the ANN in float, the third one memory, the fourth one is README's. Without NAMEs,
all, in 8 minutes at most on a quiet machine. Networks are converted again when cssconvert or the model
is newer, unless --keep asks for those that are there.

SHARED: a folder with models, cifar10 and imagenet; MODELS: where bench/export_models.py has written
networks with random weights, or will. ONNX Runtime comes from npm:

    npm install --ignore-scripts --prefix build/onnxruntime onnxruntime-node@1.30.0
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "release"
NETWORKS = ROOT / "build" / "networks" / "int8"
NODE_MODULES = ROOT / "build" / "onnxruntime" / "node_modules"
OPPONENT = ROOT / "bench" / "opponents" / "onnxruntime" / "opponent.js"

# No train follows random weights as closely as cssconvert wants, and the search is left out: the code is
# the one that it chooses for trained networks of 3x3 layers.
USUAL = ["--timesteps", "7", "--beta", "2", "--silent", "6"]
RGB = ["--mean", "0.485,0.456,0.406", "--std", "0.229,0.224,0.225"]
CENTRED = ["--mean", "0.5", "--std", "0.5"]
# Model ("": of MODELS, with random weights), pictures, preprocessing, at most so many test pictures.
NETS = {
    "resnet20": ("resnet20.onnx", "cifar10", RGB, 1000),
    "vgg16slim": ("vgg16slim.onnx", "cifar10", RGB, 1000),
    "vgg16-cifar": ("", "cifar10", RGB, 500),
    "resnet18-cifar": ("", "cifar10", RGB, 500),
    "resnet50": ("", "imagenet", RGB, 100),
    "mobilenet_v1_0.5_160": ("imagenet/mobilenet_v1_0.5_160-float.onnx", "imagenet", CENTRED, 300),
    "mobilenet_v2_1.0_224": ("imagenet/mobilenet_v2_1.0_224-float.onnx", "imagenet", CENTRED, 300),
}
# Name in bench_networks' JSON, heading.
OPPONENTS = {
    "ort_int8": "ONNX Runtime int8",
    "dense_int8": "oneDNN int8",
    "ort_float": "ONNX Runtime float",
    "dense": "oneDNN float",
}


def output_of(command, **environment):
    return subprocess.run([*map(str, command)], env=dict(os.environ, **environment), check=True,
                          stdout=subprocess.PIPE, text=True).stdout


def row(*cells):
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def header(*cells):
    row(*cells)
    print("|" + "---|" * len(cells), flush=True)


def find_model(shared, models, name):
    file = NETS[name][0]
    if file:
        return shared / "models" / file
    model = models / f"{name}.onnx"
    if not model.exists():
        output_of([ROOT / "bench" / "export_models.py", models, name])
    return model


def convert(shared, name, model, keep):
    """The network as cssconvert makes it by default, and its T."""
    _, pictures, preprocessing, _ = NETS[name]
    program = BUILD / "tools" / "cssconvert"
    net, report = NETWORKS / f"{name}.fb", NETWORKS / f"{name}.json"
    newest = max(file.stat().st_mtime for file in (program, model))
    if not report.exists() or (not keep and report.stat().st_mtime < newest):
        NETWORKS.mkdir(parents=True, exist_ok=True)
        labels = shared / pictures / "labels.txt"
        trained = NETS[name][0] != ""
        code = [] if trained else USUAL
        subprocess.run([program, model, "-o", net, "--calibration", shared / pictures / "calibration",
                        "--report", report, *preprocessing, *code,
                        *(["--labels", labels] if trained and labels.exists() else [])],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return net, json.loads(report.read_text())["timesteps"]


def compare(shared, name, model, net, arguments):
    pictures, most = NETS[name][1], NETS[name][3]
    node = f"node '{OPPONENT}' '{model}' {{pictures}}"
    modules = str(NODE_MODULES) if NODE_MODULES.exists() else os.environ.get("NODE_PATH", "")
    return json.loads(output_of(
        ["taskset", "-c", arguments.core, BUILD / "bench" / "bench_networks", model, net,
         shared / pictures / "test", "--calibration", shared / pictures / "calibration",
         "--most", most, "--batch", 1, "--seconds", arguments.seconds,
         "--opponent", f"ort_int8={node} --int8 {{calibration}}", "--opponent", f"ort_float={node}"],
        OMP_NUM_THREADS="1", NODE_PATH=modules))


def print_times(runs):
    print("Milliseconds an image, and how many times as long as cssrun the opponents take: the "
          "median over the rounds (quartiles).\n")
    header("network", "T", "cssrun", *OPPONENTS.values(), *(f"{h} / cssrun" for h in
                                                           OPPONENTS.values()))
    for name, (timesteps, run) in runs.items():
        times, ratios = run["ms_per_image"], run["ratio_to_snn"]

        def ratio(opponent):
            if opponent not in ratios:
                return "-"
            low, high = ratios[opponent]["quartiles"]
            return f"{ratios[opponent]['median']:.2f} ({low:.2f} to {high:.2f})"

        row(name, timesteps, f"{times['snn']:.2f}",
            *(f"{times[o]:.2f}" if o in times else "-" for o in OPPONENTS),
            *(ratio(o) for o in OPPONENTS))


def print_accuracy(runs):
    print("\nTop-1, and in brackets how often the answer is the ANN's in float. Random weights know "
          "no classes.\n")
    names = {"snn": "cssrun", **OPPONENTS}
    header("network", "pictures", *names.values())
    for name, (_, run) in runs.items():

        def cell(contender):
            if contender not in run["agreement"]:
                return "-"
            top1 = run["top1"][contender]
            known = NETS[name][0] != "" and top1 is not None
            return (f"{top1:.1%} " if known else "") + f"({run['agreement'][contender]:.1%})"

        row(name, run["pictures"], *(cell(c) for c in names))
    for name, (_, run) in runs.items():
        for opponent, why in run.get("not_run", {}).items():
            print(f"\n{name}: no {OPPONENTS[opponent]}: {why}")


def print_memory(runs):
    names = {"snn": "cssrun", "ort_int8": OPPONENTS["ort_int8"],
             "ort_float": OPPONENTS["ort_float"]}
    print("\nMiB at most, from a process's beginning to its first answer; of ONNX Runtime without "
          "node.\n")
    header("network", *names.values())
    for name, (_, run) in runs.items():
        row(name, *(f"{run['load'][n]['peak_mib']:.0f}" if n in run["load"] else "-"
                    for n in names))


def print_summary(runs):
    """What README shows of it."""
    print("\nMilliseconds an image; in brackets top-1 where weights are trained.\n")
    shown = {"snn": "cssrun", "ort_int8": OPPONENTS["ort_int8"],
             "dense_int8": OPPONENTS["dense_int8"], "dense": OPPONENTS["dense"]}
    header("network", *shown.values(), "ONNX Runtime int8 / cssrun")
    for name, (_, run) in runs.items():

        def cell(contender):
            if contender not in run["ms_per_image"]:
                return "-"
            trained = NETS[name][0] != ""
            return f"{run['ms_per_image'][contender]:.2f}" + (
                f" ({run['top1'][contender]:.1%})" if trained else "")

        row(name, *map(cell, shown), f"{run['ratio_to_snn']['ort_int8']['median']:.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shared", type=pathlib.Path)
    parser.add_argument("models", type=pathlib.Path)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--seconds", type=float, default=12, help="for each network (12)")
    parser.add_argument("--core", type=int, default=1, help="that everything is pinned to (1)")
    parser.add_argument("--keep", action="store_true", help="convert only what is not there")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - NETS.keys()
    if unknown:
        sys.exit(f"no network {', '.join(sorted(unknown))}; there are {', '.join(NETS)}")
    runs = {}
    for name in arguments.names or NETS:
        model = find_model(arguments.shared, arguments.models, name)
        net, timesteps = convert(arguments.shared, name, model, arguments.keep)
        runs[name] = timesteps, compare(arguments.shared, name, model, net, arguments)
        print(f"{name}: {runs[name][1]['rounds']} rounds", file=sys.stderr, flush=True)
    print_times(runs)
    print_accuracy(runs)
    print_memory(runs)
    print_summary(runs)


if __name__ == "__main__":
    main()
