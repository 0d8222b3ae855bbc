#!/usr/bin/env python3
"""Exports torchvision's ReLU classifiers, converts them, and prints a table of agreement.

    bench/torchvision.py PICTURES [--models resnet18,vgg11] [--side 96] [--classes 100]
                         [--out build/torchvision] [--opset 13] [-- OPTIONS OF cssconvert]

PICTURES is a folder with the folders calibration/ and test/. Weights are random, from a fixed seed;
batch normalizations are settled on the calibration pictures, so that activations have the sizes of
a trained network's. Needs torch, torchvision and PIL (Debian: python3-torchvision, run with
/usr/bin/python3). A full run at 224 pixels takes hours, --side 96 minutes.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import warnings

# bench/torchvision.py would be found as "torchvision" otherwise.
sys.path = [p for p in sys.path if pathlib.Path(p or ".").resolve() != pathlib.Path(__file__).resolve().parent]

import torch
import torchvision
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parent.parent
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)

# Name, options of the constructor, smallest side of an image.
INCEPTION = {"transform_input": True, "aux_logits": False, "init_weights": False}
FAMILIES = {
    "alexnet": ({}, 224),
    "vgg11": ({}, 224),
    "vgg11_bn": ({}, 224),
    "resnet18": ({}, 32),
    "resnet50": ({}, 32),
    "resnext50_32x4d": ({}, 32),
    "wide_resnet50_2": ({}, 32),
    "densenet121": ({}, 32),
    "googlenet": (INCEPTION, 32),
    "inception_v3": (INCEPTION, 96),
    "mobilenet_v2": ({}, 32),
    "mnasnet0_5": ({}, 32),
    "shufflenet_v2_x0_5": ({}, 32),
    "squeezenet1_0": ({}, 32),
    "squeezenet1_1": ({}, 32),
    "regnet_x_400mf": ({}, 32),
}


def pictures(folder, side, limit):
    """The first pictures, as a normalized batch."""
    transform = torchvision.transforms.Compose([
        torchvision.transforms.Resize(side),
        torchvision.transforms.CenterCrop(side),
        torchvision.transforms.ToTensor(),
        torchvision.transforms.Normalize(MEAN, STD),
    ])
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
    return torch.stack([transform(Image.open(p).convert("RGB")) for p in paths[:limit]])


def settle(model, images, rounds=3, batch=16):
    """Lets batch normalizations see activations; each pass settles deeper layers."""
    model.train()
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.eval()
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 0.3
    with torch.no_grad():
        for _ in range(rounds):
            for first in range(0, len(images) - 1, batch):
                model(images[first:first + batch])
    model.eval()


def export(name, side, classes, images, opset, path):
    torch.manual_seed(1)
    options, smallest = FAMILIES[name]
    side = max(side, smallest)
    model = getattr(torchvision.models, name)(weights=None, num_classes=classes, **options)
    settle(model, images(side))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(model, torch.zeros(1, 3, side, side), str(path), opset_version=opset)
    return side


def convert(path, side, folder, extra):
    report = path.with_suffix(".json")
    command = [ROOT / "build/release/tools/cssconvert", path, "-o", path.with_suffix(".fb"),
               "--calibration", folder / "calibration", "--validate", folder / "test",
               "--mean", ",".join(map(str, MEAN)), "--std", ",".join(map(str, STD)),
               "--resize", side, "--report", report, *extra]
    finished = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if finished.returncode != 0:
        return finished.stderr.strip()
    return json.loads(report.read_text())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pictures", type=pathlib.Path)
    parser.add_argument("--models", default=",".join(FAMILIES))
    parser.add_argument("--side", type=int, default=224)
    parser.add_argument("--classes", type=int, default=100)
    parser.add_argument("--opset", type=int, default=13)
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "build/torchvision")
    parser.add_argument("options", nargs="*", help="of cssconvert, after --")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    batches = {}

    def images(side):
        if side not in batches:
            batches[side] = pictures(arguments.pictures / "calibration", side, 64)
        return batches[side]

    print("| network | side | T | agreement % | logit error % | M MACs | M SyOPs |")
    print("|" + "---|" * 7)
    for name in arguments.models.split(","):
        path = arguments.out / f"{name}.onnx"
        side = export(name, arguments.side, arguments.classes, images, arguments.opset, path)
        result = convert(path, side, arguments.pictures, arguments.options)
        if isinstance(result, str):
            print(f"{name}: {result}", file=sys.stderr)
            print(f"| {name} | {side} | not converted |||||", flush=True)
            continue
        measured = result["validation"]
        print(f"| {name} | {side} | {result['timesteps']} | "
              f"{100 * measured['agreement']:.1f} | {100 * measured['relative_logit_error']:.1f} | "
              f"{result['macs_per_image'] / 1e6:.0f} | {measured['synops_per_image'] / 1e6:.0f} |",
              flush=True)


if __name__ == "__main__":
    main()
