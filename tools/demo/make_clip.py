#!/usr/bin/python3
"""Draws the demo's clip: digits that move over a still, noisy background.

Run by the maintainers, never by a build; the frames are committed. Needs Debian's python3-pil,
python3-numpy and fonts-dejavu.

    make_clip.py [--out FOLDER]

Writes clip/00.png to clip/59.png, 32x32 in 32 shades of grey. Each digit comes in from the left,
stops, stays for some frames that are all alike, and leaves to the right; between two digits the
background is alone.
"""
import argparse
import os
import shutil

import numpy as np
from PIL import Image, ImageDraw, ImageFont

FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf"
SIDE, SCALE, FRAMES = 32, 4, 60
DIGITS = "307"
PAPER, INK = 205, 70


def background():
    """Paper with a gradient and grain, the same in all frames."""
    grain = np.random.default_rng(19).normal(0, 7, (SIDE, SIDE))
    slope = np.linspace(-14, 14, SIDE)
    return PAPER + slope[None, :] + grain


def ink(digit, x):
    """How much ink each pixel has, 0 to 1, of a digit whose middle is at column x."""
    large = Image.new("L", (SIDE * SCALE, SIDE * SCALE), 0)
    font = ImageFont.truetype(FONT, 25 * SCALE)
    draw = ImageDraw.Draw(large)
    left, top, right, bottom = draw.textbbox((0, 0), digit, font=font)
    draw.text((x * SCALE - (left + right) / 2, (SIDE * SCALE - top - bottom) / 2), digit, 255, font)
    return np.asarray(large.resize((SIDE, SIDE), Image.BOX)) / 255.0


def column(step, steps):
    """Where a digit is: in within a quarter, there for half, out within a quarter."""
    part = step / (steps - 1)
    if part < 0.25:
        return SIDE / 2 - (0.25 - part) * 4 * 28
    if part > 0.75:
        return SIDE / 2 + (part - 0.75) * 4 * 28
    return SIDE / 2


def frame(number):
    steps = FRAMES // len(DIGITS)
    covered = ink(DIGITS[number // steps], column(number % steps, steps))
    grey = background() * (1 - covered) + INK * covered
    # As a palette, whose indices compress better than shades.
    image = Image.fromarray(np.clip(grey // 8, 0, 31).astype(np.uint8), "P")
    image.putpalette([8 * shade + 4 for shade in range(32) for _ in range(3)])
    return image


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", default=os.path.dirname(os.path.abspath(__file__)))
    folder = os.path.join(parser.parse_args().out, "clip")
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    for number in range(FRAMES):
        frame(number).save(os.path.join(folder, f"{number:02}.png"), optimize=True)


if __name__ == "__main__":
    main()
