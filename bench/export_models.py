#!/usr/bin/python3
"""Writes the ONNX models that benchmarks measure beside those with trained weights.

    bench/export_models.py FOLDER [NAME...]

CIFAR-size VGG-16 and ResNet-18 at full width, ImageNet-size ResNet-34, ResNet-50 and VGG-16, and
ResNet-18 for images of several sizes; without NAMEs, all. They come from Debian's
python3-torchvision with seeded random weights: their shapes are the real ones, and batch
normalization has seen images, so that activations are of the usual size. Their answers mean
nothing. Needs python3-torch, python3-torchvision and python3-onnx.
"""

import pathlib
import sys

import torch
import torchvision


def cifar_resnet18() -> torch.nn.Module:
    """The usual CIFAR form: a 3x3 stem without a pool."""
    model = torchvision.models.resnet18(num_classes=10)
    model.conv1 = torch.nn.Conv2d(3, 64, 3, 1, 1, bias=False)
    model.maxpool = torch.nn.Identity()
    return model


def cifar_vgg16() -> torch.nn.Module:
    """Thirteen convolutions with batch normalization, three layers of 512."""
    features = torchvision.models.vgg16_bn().features
    return torch.nn.Sequential(
        features,
        torch.nn.Flatten(),
        torch.nn.Linear(512, 512),
        torch.nn.ReLU(),
        torch.nn.Linear(512, 512),
        torch.nn.ReLU(),
        torch.nn.Linear(512, 10),
    )


SIDES = (64, 96, 128, 192, 256)  # of resnet18-SIDE, for bench/growth.py

MODELS = {
    "vgg16-cifar": (cifar_vgg16, 32),
    "resnet18-cifar": (cifar_resnet18, 32),
    "resnet34": (torchvision.models.resnet34, 224),
    "resnet50": (torchvision.models.resnet50, 224),
    "vgg16": (torchvision.models.vgg16, 224),
    **{f"resnet18-{side}": (torchvision.models.resnet18, side) for side in SIDES},
}


def settle(model: torch.nn.Module, side: int) -> None:
    """Batch normalization takes its statistics from a batch of smooth noise."""
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None
    coarse = torch.randn(8, 3, side // 8, side // 8)
    images = torch.nn.functional.interpolate(coarse, size=side, mode="bilinear")
    model.train()
    with torch.no_grad():
        model(images)
    model.eval()


def main() -> None:
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    unknown = set(sys.argv[2:]) - MODELS.keys()
    if unknown:
        sys.exit(f"no model {', '.join(sorted(unknown))}; there are {', '.join(MODELS)}")
    folder.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[2:] or MODELS:
        build, side = MODELS[name]
        torch.manual_seed(1)
        model = build()
        settle(model, side)
        path = folder / f"{name}.onnx"
        torch.onnx.export(model, torch.zeros(1, 3, side, side), str(path), opset_version=13)
        print(path)


if __name__ == "__main__":
    main()
