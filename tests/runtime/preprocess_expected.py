#!/usr/bin/env python3
"""Writes preprocess_expected.txt: what PIL and torchvision make of a generated picture.

Each line is a picture's width and height; the network's channels, height and width; how it is resized,
to what; interpolation, colours, fill; by how much pixels may differ; and the expected pixels. Made with
Debian 12's PIL 9.4 and torchvision 0.14:  tests/runtime/preprocess_expected.py > tests/runtime/preprocess_expected.txt
"""
import numpy as np
import torch
from PIL import Image, ImageOps
from torchvision import transforms
from torchvision.transforms import InterpolationMode as Mode

COVER, SHORTER, STRETCH, FIT, NONE = range(5)
BILINEAR, BICUBIC, AREA, NEAREST, LINEAR = range(5)
RGB, BGR, GREY = range(3)
MODES = {BILINEAR: Mode.BILINEAR, BICUBIC: Mode.BICUBIC, AREA: Mode.BOX, NEAREST: Mode.NEAREST}
FILTERS = {BILINEAR: Image.BILINEAR, BICUBIC: Image.BICUBIC, AREA: Image.BOX, NEAREST: Image.NEAREST}


def pattern(width, height):
    """PatternImage of tests/tools/encode_images.h."""
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
    return Image.fromarray(((x * 37 + y * 101 + c * 53 + x * y * 7) % 256).astype(np.uint8))


def stretched(picture, size, interpolation):
    if interpolation != LINEAR:
        return transforms.Resize(size, MODES[interpolation])(picture)
    planes = torch.from_numpy(np.asarray(picture).copy()).permute(2, 0, 1)[None].float()
    resized = torch.nn.functional.interpolate(planes, size, mode="bilinear", align_corners=False)
    return Image.fromarray(resized[0].permute(1, 2, 0).round().byte().numpy())


def expected(picture, channels, size, resizing, side, target, interpolation, colours, fill):
    if colours == GREY:
        picture = transforms.Grayscale()(picture)
        fill = transforms.Grayscale()(Image.new("RGB", (1, 1), fill)).getpixel((0, 0))
    if resizing == SHORTER or (resizing == COVER and picture.size != size[::-1]):
        picture = transforms.Resize(side, MODES[interpolation])(picture)
    elif resizing == STRETCH:
        picture = stretched(picture, target, interpolation)
    elif resizing == FIT:
        picture = ImageOps.pad(picture, target[::-1], FILTERS[interpolation], fill)
    pixels = np.asarray(transforms.CenterCrop(size)(picture)).reshape(*size, -1)
    if colours == BGR:
        pixels = pixels[:, :, ::-1]
    return np.broadcast_to(pixels, (*size, channels))


def write(width, height, channels, size, resizing, side=0, target=(0, 0), interpolation=BILINEAR,
          colours=RGB, fill=(0, 0, 0)):
    pixels = expected(pattern(width, height), channels, size, resizing, side, target, interpolation,
                      colours, fill)
    print(width, height, channels, *size, resizing, side, *target, interpolation, colours, *fill,
          int(interpolation == LINEAR), pixels.tobytes().hex())


for width, height in ((40, 31), (31, 40), (8, 7), (5, 4), (64, 5)):
    write(width, height, 3, (7, 8), COVER, 8)
    write(width, height, 3, (7, 8), SHORTER, 10, interpolation=BICUBIC)
    write(width, height, 3, (6, 6), FIT, target=(9, 7), fill=(1, 100, 200))
for interpolation in (BILINEAR, BICUBIC, AREA, NEAREST, LINEAR):
    write(40, 31, 3, (5, 6), STRETCH, target=(5, 6), interpolation=interpolation)
    write(5, 4, 3, (6, 5), STRETCH, target=(8, 9), interpolation=interpolation)
for interpolation in (AREA, NEAREST):
    write(61, 97, 3, (4, 4), SHORTER, 5, interpolation=interpolation)
write(64, 60, 3, (4, 4), STRETCH, target=(4, 4), interpolation=AREA)
for size in ((4, 4), (12, 9), (3, 20)):
    write(13, 9, 3, size, NONE)
write(8, 7, 3, (7, 8), SHORTER, 8)
write(13, 9, 3, (5, 5), SHORTER, 6, colours=BGR)
write(13, 9, 1, (5, 5), SHORTER, 6, colours=GREY)
write(13, 9, 3, (4, 4), FIT, target=(4, 4), colours=GREY, fill=(10, 200, 30))
write(13, 9, 3, (4, 5), FIT, target=(4, 5), colours=BGR, fill=(10, 200, 30), interpolation=NEAREST)
write(100, 30, 3, (4, 4), FIT, target=(4, 4))
write(9, 100, 3, (6, 6), SHORTER, 3)
