#!/usr/bin/python3
"""Makes the demo's recordings: digits before an event camera that moves, and a network for them.

Run by the maintainers, never by a build; the results are committed. Needs Debian's python3-torch,
python3-h5py, python3-pil, python3-numpy and fonts-dejavu (and what make_demo.py, which draws the
digits, imports).

    make_events.py [--out FOLDER]     about 5 minutes on 2 cores

Writes events/digits.nir, a spiking network of two convolutions and a dense layer with leaky neurons
as snnTorch has them (v = beta v + I; one spike a step where v > 1, which subtracts 1), and
events/test/<label>/*.bin, 20 recordings in the format of N-MNIST, which was made the same way: three
saccades, along the sides of a triangle. events/card.json has what was measured on recordings that
training had not seen. None is chosen by its answer.
"""
import argparse
import json
import multiprocessing
import os
import random
import shutil

import h5py
import numpy as np
import torch
from PIL import Image
from torch import nn
import torch.nn.functional as F

import make_demo

SIDE, SCALE = make_demo.SIDE, make_demo.SCALE
FONTS = "/usr/share/fonts/truetype/dejavu"
TRAIN, HELD_OUT, TEST = 3000, 500, 20
SEED_OF = {"train": 5 << 20, "held_out": 6 << 20, "test": 7 << 20}
FRAME_US, FRAMES = 3000, 30  # three saccades of 30 ms
STEP_US, STEPS = 3000, 29    # of the network; events come between frames
CONTRAST = 0.45              # a change of the logarithm of brightness that makes an event
BETA = 0.9                   # what a neuron keeps from step to step
CORNERS = [(-2.0, -1.5), (2.0, -1.5), (0.0, 2.5), (-2.0, -1.5)]  # pixels


def fonts():
    return [os.path.join(FONTS, f) for f in sorted(os.listdir(FONTS)) if f.endswith(".ttf")]


def brightness(mask, frame, ink, paper):
    """What the camera sees in a frame, on a sensor of SIDE x SIDE."""
    saccade, part = divmod(frame * 3 / FRAMES, 1)
    (x0, y0), (x1, y1) = CORNERS[int(saccade)], CORNERS[min(int(saccade) + 1, 3)]
    x, y = (x0 + (x1 - x0) * part) * SCALE, (y0 + (y1 - y0) * part) * SCALE
    moved = mask.transform(mask.size, Image.AFFINE, (1, 0, x, 0, 1, y), Image.BILINEAR)
    covered = np.asarray(moved.resize((SIDE, SIDE), Image.BOX), np.float32) / 255
    return np.log(paper * (1 - covered) + ink * covered)


def recording(seed, digit, font_paths):
    """Events as an array of rows t [us], x, y, polarity; the same for the same seed."""
    rng, noise = random.Random(seed), np.random.default_rng(seed)
    mask = make_demo.digit_mask(rng, digit, font_paths, int(rng.uniform(20, 26) * SCALE))
    ink, paper = rng.choice([(0.2, 0.8), (0.8, 0.2), (0.3, 0.9), (0.9, 0.3)])
    # Pixels differ in the change that they need, as on a sensor.
    needed = CONTRAST * noise.normal(1, 0.1, (SIDE, SIDE)).clip(0.6, 1.4)
    seen = brightness(mask, 0, ink, paper)
    parts = []
    for frame in range(1, FRAMES):
        change = brightness(mask, frame, ink, paper) - seen
        counts = np.trunc(change / needed)
        seen += counts * needed
        for polarity, count in ((1, counts), (0, -counts)):
            y, x = np.nonzero(count > 0)
            y, x = np.repeat(y, count[y, x].astype(int)), np.repeat(x, count[y, x].astype(int))
            t = (frame - 1) * FRAME_US + noise.integers(0, FRAME_US, len(x))
            parts.append(np.stack([t, x, y, np.full(len(x), polarity)], 1))
    many = noise.integers(5, 40)  # of a sensor's own
    parts.append(np.stack([noise.integers(0, (FRAMES - 1) * FRAME_US, many),
                           noise.integers(0, SIDE, many), noise.integers(0, SIDE, many),
                           noise.integers(0, 2, many)], 1))
    events = np.concatenate(parts)
    return events[np.argsort(events[:, 0], kind="stable")]


def record_range(job):
    first, count, font_paths = job
    return [recording(first + i, i % 10, font_paths) for i in range(count)]


def record_set(name, count):
    """`count` recordings, digits in turn."""
    chunk = min(count, 100)
    jobs = [(SEED_OF[name] + i, min(chunk, count - i), fonts()) for i in range(0, count, chunk)]
    with multiprocessing.Pool(2) as pool:
        return [r for part in pool.map(record_range, jobs) for r in part]


def binned(recordings):
    """How many events of each polarity each pixel has in each step: [step, recording, 2, y, x]."""
    counts = torch.zeros(STEPS, len(recordings), 2, SIDE, SIDE, dtype=torch.uint8)
    for i, events in enumerate(recordings):
        t, x, y, p = torch.from_numpy(events).T
        counts[:, i].index_put_((t // STEP_US, p, y, x), torch.ones(len(t), dtype=torch.uint8),
                             accumulate=True)
    return counts


class Spike(torch.autograd.Function):
    """A step, whose derivative is taken to be that of a fast sigmoid."""

    @staticmethod
    def forward(context, x):
        context.save_for_backward(x)
        return (x > 0).float()

    @staticmethod
    def backward(context, gradient):
        x, = context.saved_tensors
        return gradient / (2 * x.abs() + 1) ** 2


def leaky(currents):
    """Spikes of neurons, step by step: [step, ...]."""
    v, spikes = torch.zeros_like(currents[0]), []
    for current in currents:
        v = BETA * v + current
        spikes.append(Spike.apply(v - 1))
        v = v - spikes[-1].detach()
    return torch.stack(spikes)


class EventNetwork(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(2, 8, 5, 2, 2, bias=False)
        self.second = nn.Conv2d(8, 16, 3, 2, 1, bias=False)
        self.dense = nn.Linear(16 * 4 * 4, 10, bias=False)
        # Events are few; neurons that never fire hardly learn.
        for layer in (self.first, self.second, self.dense):
            nn.init.normal_(layer.weight, 0, 2 / layer.weight[0].numel() ** 0.5)

    def forward(self, counts):
        """Spikes of each class over all steps, of [step, recording, 2, y, x]."""
        each = lambda layer, x: layer(x.flatten(0, 1)).unflatten(0, x.shape[:2])
        spikes = leaky(each(self.first, counts.float()))
        spikes = leaky(each(self.second, spikes))
        pooled = each(lambda x: F.avg_pool2d(x, 2) * 4, spikes)  # sums
        return leaky(each(self.dense, pooled.flatten(2))).sum(0)


def accuracy(model, counts, labels):
    with torch.no_grad():
        best = torch.cat([model(part).argmax(1) for part in counts.split(100, 1)])
    return (best == labels).float().mean().item()


def train(model, counts, labels, epochs, rate):
    optimizer = torch.optim.Adam(model.parameters(), rate)
    steps = epochs * -(-len(labels) // 50)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps)
    for epoch in range(epochs):
        total = 0.0
        for pick in torch.randperm(len(labels)).split(50):
            loss = F.cross_entropy(0.3 * model(counts[:, pick]), labels[pick])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(pick)
        print(f"epoch {epoch + 1}/{epochs}: loss {total / len(labels):.4f}", flush=True)


def write_nir(model, path):
    """As snnTorch's exporter does, whose neurons these are, with tau for steps of STEP_US."""
    nodes, names = {}, []

    def add(name, kind, **parameters):
        nodes[name] = (kind, parameters)
        names.append(name)

    def neurons(name, shape):
        tau = STEP_US * 1e-6 / (1 - BETA)
        add(name, "LIF", tau=np.full(shape, tau, np.float32),
            r=np.full(shape, 1 / (1 - BETA), np.float32), v_leak=np.zeros(shape, np.float32),
            v_threshold=np.ones(shape, np.float32), v_reset=np.zeros(shape, np.float32))

    def convolution(name, layer, side):
        pair = lambda x: np.array(x, np.int64)
        add(name, "Conv2d", weight=layer.weight.detach().numpy(), input_shape=pair([side, side]),
            bias=np.zeros(layer.out_channels, np.float32), stride=pair(layer.stride),
            padding=pair(layer.padding), dilation=pair(layer.dilation), groups=np.int64(1))

    add("input", "Input", shape=np.array([2, SIDE, SIDE], np.int64))
    convolution("first", model.first, SIDE)
    neurons("first_lif", (8, SIDE // 2, SIDE // 2))
    convolution("second", model.second, SIDE // 2)
    neurons("second_lif", (16, SIDE // 4, SIDE // 4))
    two = np.array([2, 2], np.int64)
    add("pool", "SumPool2d", kernel_size=two, stride=two, padding=0 * two)
    add("flatten", "Flatten", start_dim=np.int64(0), end_dim=np.int64(-1),
        input_type=np.array([16, SIDE // 8, SIDE // 8], np.int64))
    add("dense", "Linear", weight=model.dense.weight.detach().numpy())
    neurons("dense_lif", (10,))
    add("output", "Output", shape=np.array([10], np.int64))
    text = h5py.string_dtype()
    with h5py.File(path, "w") as file:
        file.create_dataset("version", data="1.0", dtype=text)
        graph = file.create_group("node")
        graph.create_dataset("type", data="NIRGraph", dtype=text)
        graph.create_dataset("edges", data=list(zip(names, names[1:])), dtype=text)
        for name, (kind, parameters) in nodes.items():
            node = graph.create_group("nodes/" + name)
            node.create_dataset("type", data=kind, dtype=text)
            for key, value in parameters.items():
                packed = {"compression": "gzip"} if np.size(value) > 64 else {}
                node.create_dataset(key, data=value, **packed)


def write_nmnist(events, path):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    t, x, y, p = events.T
    time = t | p << 23
    rows = np.stack([x, y, time >> 16, time >> 8 & 255, time & 255], 1)
    rows.astype(np.uint8).tofile(path)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", default=os.path.join(os.path.dirname(__file__), "events"))
    out = parser.parse_args().out
    torch.manual_seed(1)
    recorded = {name: record_set(name, count) for name, count in
                (("train", TRAIN), ("held_out", HELD_OUT), ("test", TEST))}
    shutil.rmtree(os.path.join(out, "test"), ignore_errors=True)
    for i, events in enumerate(recorded["test"]):
        write_nmnist(events, os.path.join(out, "test", make_demo.LABELS[i % 10], f"{i:02}.bin"))
    print("recorded", flush=True)
    counts = {name: binned(recordings) for name, recordings in recorded.items()}
    labels = {name: torch.arange(len(recordings)) % 10 for name, recordings in recorded.items()}
    model = EventNetwork()
    train(model, counts["train"], labels["train"], 16, 6e-3)
    write_nir(model, os.path.join(out, "digits.nir"))
    card = {"step_ms": STEP_US / 1000, "beta": BETA, "train": TRAIN, "held_out": HELD_OUT,
            "held_out_top1": accuracy(model, counts["held_out"], labels["held_out"]),
            "test": TEST, "test_top1": accuracy(model, counts["test"], labels["test"]),
            "events_per_recording": float(np.mean([len(r) for r in recorded["held_out"]]))}
    print(card)
    # What PyTorch answers to the recordings, in their order.
    with torch.no_grad():
        card["test_spikes"] = [row.int().tolist() for row in model(counts["test"])]
    lines = json.dumps(card, indent=2).replace("[\n      ", "[").replace(",\n      ", ", ")
    with open(os.path.join(out, "card.json"), "w") as file:
        file.write(lines.replace("\n    ]", "]") + "\n")


if __name__ == "__main__":
    main()
