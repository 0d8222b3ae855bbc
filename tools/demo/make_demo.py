#!/usr/bin/python3
"""Makes the demo: pictures of digits, a small residual network that reads them, and its ONNX file.

Run by the maintainers, never by a build; the results are committed. Needs Debian's python3-torch,
python3-onnx, python3-pil, python3-numpy, fonts-dejavu, fonts-liberation and fonts-freefont-ttf.

    make_demo.py [--out FOLDER]       about 15 minutes on 2 cores

Writes digits.onnx (BatchNormalization left in, so that the converter has it to fold), labels.txt,
test/<label>/*.png (200 pictures), calibration/<label>/*.jpg (100 pictures) and card.json with what
was measured: the network reads 98.4 % of held-out pictures, the best linear classifier 12.4 %. The
pictures are drawn before the network exists; none is chosen by its answers.
"""
import argparse
import json
import math
import multiprocessing
import os
import random
import shutil

import numpy as np
import onnx
import torch
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from torch import nn
import torch.nn.functional as F

LABELS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
FONT_FOLDERS = ["/usr/share/fonts/truetype/" + f for f in ("dejavu", "liberation", "freefont")]
SIDE, SCALE = 32, 3  # pictures are drawn three times as large, then reduced
MEAN, STDDEV = 0.5, 0.25
TRAIN, HELD_OUT, TEST, CALIBRATION = 40000, 3000, 200, 100
SEED_OF = {"train": 1 << 20, "held_out": 2 << 20, "test": 3 << 20, "calibration": 4 << 20}


def fonts():
    paths = [os.path.join(d, f) for d in FONT_FOLDERS for f in sorted(os.listdir(d))]
    return [p for p in paths if p.endswith(".ttf")]


def color_pair(rng):
    """Two colours that differ in brightness by a little, in either direction."""
    gap = rng.randint(36, 110)
    low = rng.randint(10, 245 - gap)
    pair = []
    for brightness in (low, low + gap):
        tint = [rng.gauss(0, 28) for _ in range(3)]
        shift = sum(tint) / 3
        pair.append(tuple(int(min(255, max(0, brightness + t - shift))) for t in tint))
    rng.shuffle(pair)
    return pair


def digit_mask(rng, digit, font_paths, size):
    """The digit, white on black, rotated, sheared and stretched about the middle."""
    side = SIDE * SCALE
    mask = Image.new("L", (side, side), 0)
    font = ImageFont.truetype(rng.choice(font_paths), size)
    draw = ImageDraw.Draw(mask)
    left, top, right, bottom = draw.textbbox((0, 0), str(digit), font=font)
    draw.text((side / 2 - (left + right) / 2, side / 2 - (top + bottom) / 2), str(digit), 255, font)
    angle = math.radians(rng.uniform(-22, 22))
    shear, stretch = rng.uniform(-0.25, 0.25), rng.uniform(0.85, 1.2)
    cos, sin = math.cos(angle), math.sin(angle)
    a, b, d, e = cos * stretch, (sin + shear) * stretch, -sin / stretch, cos / stretch
    x = side / 2 + rng.uniform(-4, 4) * SCALE
    y = side / 2 + rng.uniform(-3, 3) * SCALE
    c, f = side / 2 - a * x - b * y, side / 2 - d * x - e * y
    return mask.transform((side, side), Image.AFFINE, (a, b, c, d, e, f), Image.BILINEAR)


def elastic(rng, mask):
    """Moves every pixel along a smooth random field."""
    side = SIDE * SCALE
    noise = np.random.default_rng(rng.getrandbits(32))
    def field():
        coarse = Image.fromarray(noise.uniform(-1, 1, (5, 5)).astype(np.float32), "F")
        return np.asarray(coarse.resize((side, side), Image.BICUBIC)) * rng.uniform(0, 5)
    ys, xs = np.mgrid[0:side, 0:side]
    xs = np.clip(xs + field(), 0, side - 1).astype(int)
    ys = np.clip(ys + field(), 0, side - 1).astype(int)
    return Image.fromarray(np.asarray(mask)[ys, xs])


def picture(seed, digit, font_paths):
    """One 32x32 RGB picture of `digit`, the same for the same seed."""
    rng = random.Random(seed)
    noise = np.random.default_rng(seed)
    side = SIDE * SCALE
    ink, paper = color_pair(rng)
    # Paper with a gradient.
    ys, xs = np.mgrid[0:side, 0:side] / side - 0.5
    slope = rng.uniform(0, 50) * (xs * math.cos(t := rng.uniform(0, 6.3)) + ys * math.sin(t))
    image = Image.fromarray(np.clip(np.array(paper) + slope[..., None], 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    # Clutter behind: blobs and strokes of unrelated colours, pieces of other digits at the edges.
    for _ in range(rng.randint(1, 4)):
        x, y, r = rng.uniform(0, side), rng.uniform(0, side), rng.uniform(2, 7) * SCALE
        shade = tuple(int(min(255, max(0, p + rng.gauss(0, 26)))) for p in paper)
        draw.ellipse((x - r, y - r * rng.uniform(0.5, 1), x + r, y + r), fill=shade)
    for _ in range(rng.randint(0, 3)):
        piece = digit_mask(rng, rng.randint(0, 9), font_paths, int(rng.uniform(10, 16) * SCALE))
        x = rng.choice([-1, 1]) * rng.randint(11, 15) * SCALE
        y = rng.randint(-12, 12) * SCALE
        piece = piece.transform((side, side), Image.AFFINE, (1, 0, -x, 0, 1, -y))
        image.paste(ink, (0, 0), piece.point(lambda v: int(v * 0.75)))
    mask = elastic(rng, digit_mask(rng, digit, font_paths, int(rng.uniform(20, 29) * SCALE)))
    shade = Image.fromarray(
        np.clip(np.array(ink) + slope[..., None] * rng.uniform(-0.7, 0.7), 0, 255).astype(np.uint8))
    image.paste(shade, (0, 0), mask)
    # Clutter in front: thin lines of either colour.
    draw = ImageDraw.Draw(image)
    for _ in range(rng.randint(0, 4)):
        ends = [(rng.uniform(0, side), rng.uniform(0, side)) for _ in range(2)]
        draw.line(ends, fill=rng.choice([ink, paper]), width=rng.randint(2, 4))
    if rng.random() < 0.5:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.5, 2.2)))
    small = np.asarray(image.resize((SIDE, SIDE), Image.BOX)).astype(np.float32)
    small = small + noise.normal(0, rng.uniform(4, 22), small.shape)
    return np.clip(small, 0, 255).astype(np.uint8)


def draw_range(job):
    first, count, font_paths = job
    return np.stack([picture(first + i, i % 10, font_paths) for i in range(count)])


def draw_set(name, count):
    """`count` pictures, digits in turn."""
    font_paths, chunk = fonts(), 500 if count >= 500 else count
    jobs = [(SEED_OF[name] + i, min(chunk, count - i), font_paths) for i in range(0, count, chunk)]
    with multiprocessing.Pool() as pool:
        images = np.concatenate(pool.map(draw_range, jobs))
    return images, torch.arange(count) % 10


def normalize(images):
    x = torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).float() / 255
    return (x - MEAN) / STDDEV


def conv_bn(inputs, outputs, kernel=3, stride=1):
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
                         nn.BatchNorm2d(outputs))


class Block(nn.Module):
    """Two convolutions and a shortcut: the identity, or a projection where the shape changes."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.first, self.second = conv_bn(inputs, outputs, 3, stride), conv_bn(outputs, outputs)
        same = inputs == outputs and stride == 1
        self.shortcut = nn.Identity() if same else conv_bn(inputs, outputs, 1, stride)

    def forward(self, x):
        return F.relu(self.second(F.relu(self.first(x))) + self.shortcut(x))


def digit_network():
    return nn.Sequential(
        conv_bn(3, 16), nn.ReLU(),
        conv_bn(16, 32), nn.ReLU(), nn.MaxPool2d(2),
        Block(32, 32, 1), Block(32, 64, 2), Block(64, 64, 1),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def accuracy(model, x, y):
    model.eval()
    with torch.no_grad():
        best = torch.cat([model(part).argmax(1) for part in x.split(500)])
    return (best == y).float().mean().item()


def train(model, x, y, epochs, rate, weight_decay):
    steps = epochs * math.ceil(len(x) / 128)
    optimizer = torch.optim.SGD(model.parameters(), rate, 0.9, weight_decay=weight_decay,
                                nesterov=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps)
    for epoch in range(epochs):
        model.train()
        total = 0.0
        for pick in torch.randperm(len(x)).split(128):
            loss = F.cross_entropy(model(x[pick]), y[pick])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(pick)
        print(f"epoch {epoch + 1}/{epochs}: loss {total / len(x):.4f}", flush=True)


def linear_accuracy(x, y):
    """Top-1 of the best linear classifier: ridge regression on the pixels, on held-out pictures."""
    def features(images):
        return torch.cat([images.flatten(1), torch.ones(len(images), 1)], 1)
    best = 0.0
    a, targets = features(x["train"]), F.one_hot(y["train"], 10).float()
    gram, moment = (a.T @ a).double(), (a.T @ targets).double()
    for ridge in (1e2, 1e3, 1e4, 1e5):
        weights = torch.linalg.solve(gram + ridge * torch.eye(len(gram)), moment).float()
        guesses = (features(x["held_out"]) @ weights).argmax(1)
        best = max(best, (guesses == y["held_out"]).float().mean().item())
    return best


def save_pictures(folder, images, labels, suffix, **options):
    shutil.rmtree(folder, ignore_errors=True)
    for i, (image, label) in enumerate(zip(images, labels)):
        place = os.path.join(folder, LABELS[label])
        os.makedirs(place, exist_ok=True)
        Image.fromarray(image).save(os.path.join(place, f"{i:04}.{suffix}"), **options)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", default=os.path.dirname(os.path.abspath(__file__)))
    parser.add_argument("--epochs", type=int, default=10)
    arguments = parser.parse_args()
    os.makedirs(arguments.out, exist_ok=True)
    torch.manual_seed(1)
    torch.set_num_threads(2)

    sets = {name: draw_set(name, count) for name, count in
            (("train", TRAIN), ("held_out", HELD_OUT), ("test", TEST),
             ("calibration", CALIBRATION))}
    x = {name: normalize(images) for name, (images, _) in sets.items()}
    y = {name: labels for name, (_, labels) in sets.items()}

    model = digit_network()
    train(model, x["train"], y["train"], arguments.epochs, 0.15, 5e-4)
    card = {
        "ann_top1_held_out": round(accuracy(model, x["held_out"], y["held_out"]), 4),
        "ann_top1_test": round(accuracy(model, x["test"], y["test"]), 4),
        "linear_top1_held_out": round(linear_accuracy(x, y), 4),
        "training_pictures": TRAIN, "held_out_pictures": HELD_OUT,
        "parameters": sum(p.numel() for p in model.parameters()),
        "mean": MEAN, "stddev": STDDEV,
        "torch": torch.__version__, "onnx": onnx.__version__,
    }
    print(json.dumps(card))

    model.eval()
    path = os.path.join(arguments.out, "digits.onnx")
    # TrainingMode.PRESERVE keeps the exporter from folding the BatchNorms itself.
    torch.onnx.export(model, torch.zeros(1, 3, SIDE, SIDE), path, opset_version=13,
                      input_names=["image"], output_names=["logits"],
                      training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False,
                      dynamic_axes={"image": {0: "N"}, "logits": {0: "N"}})
    print([n.op_type for n in onnx.load(path).graph.node])
    save_pictures(os.path.join(arguments.out, "test"), *sets["test"], "png", optimize=True)
    save_pictures(os.path.join(arguments.out, "calibration"), *sets["calibration"], "jpg", quality=95,
                  subsampling=0)
    with open(os.path.join(arguments.out, "labels.txt"), "w") as f:
        f.write("\n".join(LABELS) + "\n")
    with open(os.path.join(arguments.out, "card.json"), "w") as f:
        json.dump(card, f, indent=2)
        f.write("\n")


if __name__ == "__main__":
    main()
