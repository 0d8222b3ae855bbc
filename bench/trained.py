#!/usr/bin/python3
"""Converts trained networks as a user would, without a word about the code, and prints what it costs.

    bench/trained.py SHARED [NAME...]

Calibrates each network on the calibration pictures of SHARED, runs it on test pictures that took no
part in the conversion, and prints, as Markdown, T, top-1 of ANN and SNN, agreement, relative logit
error, SyOPs and the median time of an image on one thread. Without NAMEs, all.
"""

import argparse
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOOLS = ROOT / "build" / "release" / "tools"
FOLDER = ROOT / "build" / "models" / "trained"

CIFAR = ["--mean", "0.485,0.456,0.406", "--std", "0.229,0.224,0.225"]
IMAGENET = ["--mean", "0.5", "--std", "0.5"]
# Model, pictures, options.
NETWORKS = {
    "resnet20": ("resnet20.onnx", "cifar10", CIFAR),
    "resnet56": ("resnet56.onnx", "cifar10", CIFAR),
    "vgg16slim": ("vgg16slim.onnx", "cifar10", CIFAR),
    "mobilenet_v1": ("imagenet/mobilenet_v1_0.5_160-float.onnx", "imagenet", IMAGENET),
    "mobilenet_v1-qdq": ("imagenet/mobilenet_v1_0.5_160-qdq.onnx", "imagenet", IMAGENET),
    "mobilenet_v2": ("imagenet/mobilenet_v2_1.0_224-float.onnx", "imagenet", IMAGENET),
    "mobilenet_v2-qdq": ("imagenet/mobilenet_v2_1.0_224-qdq.onnx", "imagenet", IMAGENET),
}


def measure(shared: pathlib.Path, name: str) -> str:
    model, pictures, options = NETWORKS[name]
    labels = shared / pictures / "labels.txt"
    net, report, summary = (FOLDER / f"{name}{end}" for end in (".fb", ".json", "-run.json"))
    command = [TOOLS / "cssconvert", shared / "models" / model, "-o", net, "--report", report,
               "--calibration", shared / pictures / "calibration",
               "--validate", shared / pictures / "test", *options]
    if labels.exists():
        command += ["--labels", labels]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    subprocess.run([TOOLS / "cssrun", net, shared / pictures / "test", "--threads", "1",
                    "--summary", summary], check=True, stdout=subprocess.DEVNULL)
    converted = json.loads(report.read_text())
    compared = converted["validation"]
    milliseconds = json.loads(summary.read_text())["latency_ms"]["p50"]

    def percent(share: float | None) -> str:
        return "-" if share is None else f"{share * 100:.1f} %"

    return (f"| {name} | {converted['timesteps']} | {percent(compared['ann_top1'])} "
            f"| {percent(compared['snn_top1'])} | {percent(compared['agreement'])} "
            f"| {percent(compared['relative_logit_error'])} "
            f"| {compared['synops_per_image'] / 1e6:.1f} | {milliseconds:.2f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shared", type=pathlib.Path)
    parser.add_argument("names", nargs="*", metavar="NAME")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - NETWORKS.keys()
    if unknown:
        sys.exit(f"no network {', '.join(sorted(unknown))}; there are {', '.join(NETWORKS)}")
    FOLDER.mkdir(parents=True, exist_ok=True)
    print("| network | T | top-1 ANN | top-1 SNN | agreement | logit error | M SyOPs | ms |")
    print("|---|---|---|---|---|---|---|---|")
    for name in arguments.names or NETWORKS:
        print(measure(arguments.shared, name), flush=True)


if __name__ == "__main__":
    main()
