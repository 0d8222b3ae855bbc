#!/usr/bin/env python3
"""Prints the tables of docs/results.md on kernels and networks, as Markdown.

    bench/tables.py kernels
    bench/tables.py networks SHARED MODELS

SHARED: a folder with models/*.onnx and cifar10/{calibration,test}; MODELS: what
bench/export_models.py wrote. Everything in a table comes from one run.
"""

import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "release"
NETWORKS = ROOT / "build" / "networks"

# Model, T, beta, L, threshold: the cheapest setting of the oracle's within 0.3 points of the ANN
# comes first. A quantized model brings its own.
TRAINED = [
    ("resnet20", 4, 2, 3, 0.7),
    ("resnet20", 5, 2, 4, 0.7),
    ("resnet20", 5, 2, 2, 0.667),
    ("resnet20", 6, 2, 2, 0.667),
    ("resnet20", 12, 1.5, 2, 0.7),
    ("vgg16slim", 4, 2, 3, 0.7),
    ("vgg16slim", 5, 2, 4, 0.7),
    ("vgg16slim", 4, 2, 1, 0.5),
    ("vgg16slim", 6, 2, 2, 0.667),
    ("vgg16slim", 12, 1.5, 2, 0.7),
    ("resnet20-q3",),
]
CODE_OPTIONS = ["--timesteps", "--beta", "--silent", "--threshold"]
CODE_KEYS = ["timesteps", "beta", "silent_steps", "threshold"]  # of cssconvert's report
SHAPES = ["vgg16-cifar", "resnet18-cifar", "resnet34", "resnet50", "vgg16"]


def output_of(*command, cores):
    environment = dict(os.environ, OMP_NUM_THREADS=str(len(cores)))
    pinned = ["taskset", "-c", ",".join(map(str, cores)), *map(str, command)]
    return subprocess.run(pinned, env=environment, check=True, capture_output=True,
                          text=True).stdout


def row(*cells):
    print("| " + " | ".join(map(str, cells)) + " |")


def header(*cells):
    row(*cells)
    print("|" + "---|" * len(cells))


def kernels():
    report = json.loads(output_of(BUILD / "bench/bench_kernels", "--benchmark_format=json",
                                  "--benchmark_min_time=0.2", cores=[1]))
    runs = {b["name"]: b for b in report["benchmarks"]}
    limit = runs["BM_Roofline"]["SyOP/s"]
    print(f"Roofline: {limit / 1e9:.0f} G lanes/s\n")
    header("layer, T = 8", "rate", "GSyOP/s", "of the roofline", "with branches foreseen",
           "naive float", "ours, us", "dense float, us (one pass)")
    for name, bench in runs.items():
        if not name.startswith("BM_Layer/"):
            continue
        fields = dict(field.split(":") for field in name.split("/")[1:])
        shape = "{side}x{side}x{from}->{to}, {kernel}x{kernel}".format(**fields)
        dense = runs.get("BM_Dense/side:{side}/from:{from}/to:{to}/kernel:{kernel}".format(**fields))
        naive = runs.get(name.replace("BM_Layer", "BM_Naive"))
        foreseen = runs.get(name.replace("BM_Layer", "BM_Foreseen"))
        row(shape, int(fields["permille"]) / 1000, f"{bench['SyOP/s'] / 1e9:.0f}",
            f"{bench['SyOP/s'] / limit:.0%}", f"{foreseen['SyOP/s'] / limit:.0%}",
            f"{naive['SyOP/s'] / 1e9:.1f}", f"{bench['cpu_time'] / 1e3:.0f}",
            f"{dense['cpu_time'] / 1e3:.0f}")
    print()
    header("rows of 128 bytes from a table of", "64 rows a list", "32 to 96 rows a list")
    for name, bench in runs.items():
        if name.startswith("BM_Rows/") and "rows:64/varying:0" in name:
            other = runs[name.replace("varying:0", "varying:1")]
            row(name.split("/")[1].split(":")[1] + " KiB", f"{bench['SyOP/s'] / limit:.0%}",
                f"{other['SyOP/s'] / limit:.0%}")
    print()
    header("rows of a list, on average (32 KiB)", "always as many", "half as many to half more")
    for name, bench in runs.items():
        if name.startswith("BM_Rows/KiB:32/") and "varying:0" in name:
            other = runs[name.replace("varying:0", "varying:1")]
            row(name.split("/")[2].split(":")[1], f"{bench['SyOP/s'] / limit:.0%}",
                f"{other['SyOP/s'] / limit:.0%}")


def convert(model, calibration, code):
    """The network file, and the code that it has."""
    NETWORKS.mkdir(parents=True, exist_ok=True)
    options = [x for pair in zip(CODE_OPTIONS, code) for x in pair]
    settled = bool(code) and code[1] == 2 and code[2] >= code[0] - 1
    net = NETWORKS / "-".join(map(str, [model.stem, *code[:1], *["settled"] * settled]))
    net, report = (net.with_name(net.name + ending) for ending in (".fb", ".json"))
    output_of(BUILD / "tools/cssconvert", model, "-o", net, "--calibration", calibration, "--mean",
              "0.485,0.456,0.406", "--std", "0.229,0.224,0.225", "--report", report, *options,
              cores=range(os.cpu_count()))
    chosen = json.loads(report.read_text())
    return net, [f"{chosen[key]:.3g}" for key in CODE_KEYS]


def compare(model, net, images, threads):
    cores = [1] if threads == 1 else range(threads)
    return json.loads(output_of(BUILD / "bench/bench_networks", model, net, images, "--threads",
                                threads, "--batch", 4, "--seconds", 6, cores=cores))


def print_networks(entries):
    header("network", "T, beta, L, threshold", "M SyOPs (M MACs)", "SNN ms",
           "dense ms (batch 4)", "ratio (batch 4)", "GSyOP/s", "MiB SNN / dense",
           "first answer s SNN / dense")
    for model, net, code, images in entries:
        run = compare(model, net, images, 1)
        time = run["ms_per_image"]
        snn, dense = run["load"]["snn"], run["load"]["dense"]
        row(model.stem, ", ".join(code),
            f"{run['synops_per_image'] / 1e6:.1f} ({run['macs_per_image'] / 1e6:.1f})",
            f"{time['snn']:.2f}", f"{time['dense']:.2f} ({time['dense_batch4']:.2f})",
            f"{time['dense'] / time['snn']:.2f} ({time['dense_batch4'] / time['snn']:.2f})",
            f"{run['gsyops_per_second']:.0f}",
            f"{snn['peak_mib']:.0f} / {dense['peak_mib']:.0f}",
            f"{snn['first_answer_seconds']:.3f} / {dense['first_answer_seconds']:.3f}")
    threads = os.cpu_count()
    print(f"\nAll {threads} threads:\n")
    header("network", "T", "SNN images/s", "dense images/s", "SNN --latency ms", "dense ms")
    for model, net, code, images in entries:
        run = compare(model, net, images, threads)
        rate, time = run["images_per_second"], run["ms_per_image"]
        row(model.stem, code[0], f"{rate['snn_throughput']:.0f}",
            f"{rate['dense_throughput']:.0f}", f"{time['snn']:.2f}", f"{time['dense']:.2f}")


def networks(shared, models):
    calibration, test = shared / "cifar10/calibration", shared / "cifar10/test"
    entries = []
    for name, *code in TRAINED:
        model = shared / "models" / f"{name}.onnx"
        entries.append((model, *convert(model, calibration, code), test))
    # Random weights: a few images do.
    few = calibration / sorted(os.listdir(calibration))[0]
    for name in SHAPES:
        model = models / f"{name}.onnx"
        for code in [(5, 2, 4, 0.7), (6, 2, 2, 0.667)]:
            entries.append((model, *convert(model, few, code), few))
    print_networks(entries)


def main():
    if sys.argv[1:] == ["kernels"]:
        kernels()
    elif len(sys.argv) == 4 and sys.argv[1] == "networks":
        networks(pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
