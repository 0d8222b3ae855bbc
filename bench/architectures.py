#!/usr/bin/python3
"""Converts the usual architectures and prints how closely the spiking networks follow the ANNs.

    bench/architectures.py SHARED [NAME...] [--side 64] [--codes 12,1.5 8,2,7]

Exports each architecture from Debian's python3-torchvision with seeded weights to
build/models/architectures, converts it with cssconvert on a few images of
SHARED/cifar10/calibration, and prints, as Markdown, relative logit error and agreement with the ANN
on those and on images of SHARED/cifar10/test that took no part in the conversion. Without NAMEs,
all, which takes hours; --side runs networks that allow it on smaller images, in minutes. An
architecture that does not convert gets a row that says so, and cssconvert's reasons on standard
error.

Weights are drawn at random, so the answers mean nothing; batch normalization has seen images, so
that activations are of the usual size. Random weights are a hard case: classes score nearly the
same, and every layer enlarges the errors of those before it, which training would undo. How much
shows the ANN itself with its activations rounded to 8 bits after every ReLU, between 0 and the
largest on the calibration images: its figures stand in the last column. Needs python3-torch, python3-torchvision and python3-onnx.
"""

import argparse
import json
import pathlib
import subprocess
import sys

import numpy
import PIL.Image
import torch
import torchvision

from export_models import cifar_resnet18, cifar_vgg16

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOOLS = ROOT / "build" / "release" / "tools"
FOLDER = ROOT / "build" / "models" / "architectures"

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CODES = [(8, 2.0, 7)]  # T, beta, L: what cssconvert takes by default where a network is not easy
SETTLING_IMAGES, CALIBRATION_IMAGES, VALIDATION_IMAGES = 40, 40, 40


# torchvision's pretrained GoogLeNet and Inception scale their images colour by colour.
def googlenet() -> torch.nn.Module:
    return torchvision.models.googlenet(weights=None, aux_logits=False, init_weights=False,
                                        transform_input=True)


def inception_v3() -> torch.nn.Module:
    return torchvision.models.inception_v3(weights=None, aux_logits=False, init_weights=False,
                                           transform_input=True)


MODELS = {
    "alexnet": (torchvision.models.alexnet, 224),
    "vgg11": (torchvision.models.vgg11, 224),
    "vgg11_bn": (torchvision.models.vgg11_bn, 224),
    "vgg16": (torchvision.models.vgg16, 224),
    "vgg16_bn": (torchvision.models.vgg16_bn, 224),
    "resnet18": (torchvision.models.resnet18, 224),
    "resnet34": (torchvision.models.resnet34, 224),
    "resnet50": (torchvision.models.resnet50, 224),
    "wide_resnet50_2": (torchvision.models.wide_resnet50_2, 224),
    "resnext50_32x4d": (torchvision.models.resnext50_32x4d, 224),
    "mobilenet_v2": (torchvision.models.mobilenet_v2, 224),
    "mnasnet0_5": (torchvision.models.mnasnet0_5, 224),
    "regnet_x_400mf": (torchvision.models.regnet_x_400mf, 224),
    "squeezenet1_0": (torchvision.models.squeezenet1_0, 224),
    "squeezenet1_1": (torchvision.models.squeezenet1_1, 224),
    "densenet121": (torchvision.models.densenet121, 224),
    "googlenet": (googlenet, 224),
    "inception_v3": (inception_v3, 299),
    "shufflenet_v2_x0_5": (torchvision.models.shufflenet_v2_x0_5, 224),
    "shufflenet_v2_x1_0": (torchvision.models.shufflenet_v2_x1_0, 224),
    "resnet18 (CIFAR)": (cifar_resnet18, 32),
    "vgg16 (CIFAR)": (cifar_vgg16, 32),
}
# Fully connected layers that need maps of one size, and windows that need room.
SMALLEST = {"alexnet": 224, "vgg11": 224, "vgg11_bn": 224, "vgg16": 224, "vgg16_bn": 224,
            "inception_v3": 96}


def some_images(folder: pathlib.Path, count: int) -> list[pathlib.Path]:
    """The first images of every class in turn."""
    classes = [sorted(c.glob("*")) for c in sorted(folder.iterdir()) if c.is_dir()]
    return [files[i] for i in range(-(-count // len(classes))) for files in classes][:count]


def load(files: list[pathlib.Path], side: int) -> torch.Tensor:
    pixels = [numpy.asarray(PIL.Image.open(f).convert("RGB").resize((side, side))) for f in files]
    images = torch.tensor(numpy.stack(pixels)).permute(0, 3, 1, 2) / 255
    return (images - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]


def settle(model: torch.nn.Module, images: torch.Tensor) -> None:
    """Batch normalization takes its statistics from real images."""
    norms = [m for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    for module in norms:
        module.momentum = None
        module.train()
    with torch.no_grad():
        model(images)
    model.eval()


class Rounded:
    """Rounds what ReLUs return to 8 bits, from 0 to the largest that they returned before."""

    def __init__(self):
        self.largest, self.measuring, self.calls = [], True, 0

    def wrap(self, function):
        def rounded(x, *arguments, **keywords):
            y = function(x, *arguments, **keywords)
            index, self.calls = self.calls, self.calls + 1
            if self.measuring:
                self.largest += [0] * (index + 1 - len(self.largest))
                self.largest[index] = max(self.largest[index], float(y.max()))
                return y
            step = self.largest[index] / 255
            return torch.clamp(torch.round(y / step), 0, 255) * step if step > 0 else y
        return rounded

    def run(self, model: torch.nn.Module, images: torch.Tensor) -> torch.Tensor:
        logits = []
        for image in images:
            self.calls = 0
            logits.append(model(image[None]))
        return torch.cat(logits)


def compare_rounded(model: torch.nn.Module, calibration: torch.Tensor,
                    images: torch.Tensor) -> tuple[float, float]:
    """Relative logit error and agreement of the ANN with rounded activations."""
    functional = torch.nn.functional
    originals = functional.relu, functional.hardtanh
    rounding = Rounded()
    with torch.no_grad():
        exact = torch.cat([model(image[None]) for image in images])
        functional.relu, functional.hardtanh = map(rounding.wrap, originals)
        rounding.run(model, calibration)
        rounding.measuring = False
        rounded = rounding.run(model, images)
        functional.relu, functional.hardtanh = originals
    agreement = (exact.argmax(1) == rounded.argmax(1)).float().mean()
    return float((rounded - exact).norm() / exact.norm()), float(agreement)


def export(name: str, side: int, settling: list[pathlib.Path],
           test: list[pathlib.Path]) -> tuple[pathlib.Path, tuple[float, float]]:
    build, usual = MODELS[name]
    side = min(max(side, SMALLEST.get(name, 0)), usual) if side else usual
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / (name.replace(" (CIFAR)", "-cifar") + ".onnx")
    torch.manual_seed(1)
    model = build()
    model.eval()
    settle(model, load(settling, side))
    torch.onnx.export(model, torch.zeros(1, 3, side, side), str(path), opset_version=13)
    calibration = load(settling[:CALIBRATION_IMAGES], side)
    return path, compare_rounded(model, calibration, load(test, side))


def link_images(name: str, files: list[pathlib.Path]) -> pathlib.Path:
    folder = FOLDER / name
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        link = folder / f"{file.parent.name}-{file.name}"
        if not link.exists():
            link.symlink_to(file.resolve())
    return folder


def convert(model: pathlib.Path, code: tuple, calibration: pathlib.Path,
            validation: pathlib.Path) -> dict | None:
    net, report = model.with_suffix(".fb"), model.with_suffix(".json")
    timesteps, beta, silent = code
    result = subprocess.run(
        [TOOLS / "cssconvert", model, "-o", net, "--calibration", calibration, "--validate",
         validation, "--mean", ",".join(map(str, MEAN)), "--std", ",".join(map(str, STD)),
         "--timesteps", str(timesteps), "--beta", str(beta), "--silent", str(silent),
         "--report", report],
        capture_output=True, text=True)
    if result.returncode != 0:
        print(f"{model.name}: {result.stderr}", file=sys.stderr)
        return None
    image = next(validation.iterdir())
    run = subprocess.run([TOOLS / "cssrun", net, image], capture_output=True, text=True, check=True)
    return {**json.loads(report.read_text()), "float": "runs in float" in run.stderr}


def percent(error: float, agreement: float) -> str:
    return f"{100 * error:.1f} %, {100 * agreement:.0f} %"


def row(*cells) -> None:
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def code(text: str) -> tuple[int, float, int]:
    timesteps, beta, *silent = text.split(",")
    return int(timesteps), float(beta), int(silent[0]) if silent else 2


def arguments_of_the_command() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shared", type=pathlib.Path)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(MODELS))
    parser.add_argument("--side", type=int, default=0, help="of the images (the networks' usual)")
    parser.add_argument("--codes", type=code, nargs="+", default=CODES, metavar="T,BETA[,L]")
    arguments = parser.parse_args()
    for name in arguments.names:
        if name not in MODELS:
            parser.error(f"{name} is none of {', '.join(MODELS)}")
    return arguments


def row_of(name: str, report: dict, cells: list[str], engines: set[str],
           rounded: tuple[float, float]) -> None:
    layers = sum("neurons" in layer["kind"] for layer in report["layers"])
    row(name, layers, f"{report['macs_per_image'] / 1e9:.2f}", *cells, ", ".join(sorted(engines)),
        percent(*rounded))


def main() -> None:
    arguments = arguments_of_the_command()
    images = arguments.shared / "cifar10"
    settling = some_images(images / "calibration", SETTLING_IMAGES)
    test = some_images(images / "test", VALIDATION_IMAGES)
    folders = link_images("calibration", settling[:CALIBRATION_IMAGES]), link_images("test", test)
    titles = [f"T = {t}, beta = {b:g}, L = {l}{rest}" for t, b, l in arguments.codes
              for rest in (": calibration images", ": others")]
    row("architecture", "layers", "G MACs", *titles, "engine", "rounded ANN: others")
    print("|" + "---|" * (5 + len(titles)))
    for name in arguments.names or MODELS:
        model, rounded = export(name, arguments.side, settling, test)
        reports = [convert(model, chosen, *folders) for chosen in arguments.codes]
        if None in reports:
            row(name, "not converted", *[""] * (3 + len(titles)))
            continue
        cells = [percent(report[part]["relative_logit_error"], report[part]["agreement"])
                 for report in reports for part in ("calibration", "validation")]
        engines = {"float" if report["float"] else "integer" for report in reports}
        row_of(name, reports[-1], cells, engines, rounded)


if __name__ == "__main__":
    main()
