#!/usr/bin/python3
"""From a torch module to a spiking network, and its spikes in a picture.

    torch_to_raster.py [FOLDER]        writes model.onnx, net.fb and raster.png there (.)

The cells (# %%) open as a notebook in VS Code, Spyder or Jupytext. Needs torch, matplotlib and
cssrun; on Debian, apt-get install python3-torch python3-matplotlib. Takes some 20 seconds.
"""
# %% What is needed
import pathlib
import sys

try:
    import matplotlib
    import numpy as np
    import torch
    from torch import nn
except ImportError as error:
    sys.exit(f"{error}: apt-get install python3-torch python3-matplotlib")

matplotlib.use("Agg")
import matplotlib.pyplot as plt

import cssrun

folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
torch.manual_seed(1)
MEAN, STD = 0.5, 0.25
LABELS = ["rising", "level", "falling", "upright"]


# %% Pictures: stripes in four directions, of any colour, phase and width, under noise
def stripes(count, seed):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 4, count)
    angle = np.radians(45) * (truth + 1) + rng.normal(0, 0.12, count)
    y, x = np.mgrid[0:16, 0:16]
    along = (x[None] * np.cos(angle)[:, None, None] + y[None] * np.sin(angle)[:, None, None])
    width, phase = rng.uniform(2.5, 5, count), rng.uniform(0, 6.3, count)
    wave = np.sin(along * 6.3 / width[:, None, None] + phase[:, None, None])
    colour = rng.uniform(20, 70, (count, 1, 1, 3))
    pixels = 128 + wave[..., None] * colour + rng.normal(0, 25, (count, 16, 16, 3))
    return np.clip(pixels, 0, 255).astype(np.uint8), truth


def normalized(pixels):
    return (torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255 - MEAN) / STD


# %% A torch module, trained as usual
model = nn.Sequential(
    nn.Conv2d(3, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.AdaptiveAvgPool2d(1),
    nn.Flatten(), nn.Linear(32, len(LABELS)))
pixels, truth = stripes(4000, seed=1)
x, y = normalized(pixels), torch.from_numpy(truth)
optimizer = torch.optim.Adam(model.parameters(), 3e-3)
for epoch in range(4):
    for chosen in torch.randperm(len(x)).split(64):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x[chosen]), y[chosen])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch + 1}: loss {loss.item():.3f}")

# %% Out of torch, and into spikes: in inference mode, with a fixed image size
model.eval()
torch.onnx.export(model, torch.zeros(1, 3, 16, 16), folder / "model.onnx", opset_version=13)
report = cssrun.convert(folder / "model.onnx", folder / "net.fb", calibration=pixels[:300],
                        mean=MEAN, std=STD, labels=LABELS)
print(f"As the ANN on {report['calibration']['agreement']:.1%} of the calibration images, with "
      f"{report['calibration']['synops_per_image'] / report['macs_per_image']:.2f} SyOPs a MAC")

# %% Run it on new pictures
net = cssrun.load(folder / "net.fb")
test_pixels, test_truth = stripes(500, seed=2)
answers = net.run(test_pixels, statistics=True)  # as they are: normalization is in the file
with torch.no_grad():
    ann = model(normalized(test_pixels)).argmax(1).numpy()
print(f"{net}\nANN {(ann == test_truth).mean():.1%} right, SNN "
      f"{(answers.best == test_truth).mean():.1%}; {answers.spikes.sum(1).mean():.0f} spikes and "
      f"{answers.seconds.mean() * 1e3:.2f} ms an image")

# %% One picture's spikes, a few potentials, and the answer while it forms
layer = next(layer for layer in net.layers if layer.kind.endswith("neurons"))
one = net.run(test_pixels[0], record_spikes=[layer.name], record_membranes=[layer.name],
              readings=True)
recording = one.recordings[layer.name]
spikes = recording.spikes.reshape(net.timesteps, -1)
busiest = np.sort(np.argsort(-np.abs(spikes).sum(0))[:200])
silent = len(recording.membranes) - net.timesteps

figure, (picture, raster, trace, logits) = plt.subplots(
    1, 4, figsize=(15, 4), width_ratios=[1, 2, 2, 2], layout="constrained")
picture.imshow(test_pixels[0])
picture.set(title=f"{LABELS[test_truth[0]]}, read as {net.labels[one.best]}", xticks=[], yticks=[])
for sign, colour in [(1, "tab:blue"), (-1, "tab:red")]:
    step, neuron = np.nonzero(spikes[:, busiest] == sign)
    raster.scatter(step + layer.offset, neuron, s=5, c=colour)
raster.set(title=f"{layer.name}, 200 neurons: spikes +1 blue, -1 red", xlabel="step",
           ylabel="neuron")
membranes = recording.membranes.reshape(len(recording.membranes), -1)
trace.plot(np.arange(len(membranes)) + layer.offset - silent, membranes[:, busiest[::40]])
trace.set(title="what is left in five membranes", xlabel="step", ylabel="spikes")
logits.plot(np.arange(net.latency_steps - net.timesteps, net.latency_steps) + 1, one.readings,
            label=net.labels)
logits.set(title="the answer, step by step", xlabel="step", ylabel="logit")
logits.legend()
figure.savefig(folder / "raster.png", dpi=120)
print(f"Wrote {folder / 'raster.png'}")
