#!/usr/bin/python3
"""Times camera streams beside full runs and ONNX Runtime in 8 bits: streams.py SHARED WORK

For each clip of SHARED/streams: ResNet-20 for whole frames of its size, converted with some of its
frames, and MobileNetV2 on frames resized to 224x224, converted with SHARED/imagenet; holds of 0, 4, 8
and 16 of 255 and dead zones of 0, 0.25 and 0.5 levels. WORK keeps what is made. Prints the tables of
docs/results.md. Without build/onnxruntime (see bench/opponents/onnxruntime/README.md) there is no
opponent. Networks are converted again when cssconvert or the model is newer.
"""

import argparse
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = ROOT / "build/release"
NODE_MODULES = ROOT / "build/onnxruntime/node_modules"
# As a user would, without a word about the code.
WHOLE_FRAMES = ["--preset", "imagenet"]
RESIZED = ["--mean", "0.5", "--std", "0.5"]
CALIBRATION_FRAMES = 12


def size_of(picture):
    header = picture.read_bytes()[:24]  # of a PNG
    return int.from_bytes(header[20:24], "big"), int.from_bytes(header[16:20], "big")


def write_resized(model, height, width, path):
    """The same model for the opponent, which takes no other size than the file's."""
    import onnx
    resized = onnx.load(str(model))
    dims = resized.graph.input[0].type.tensor_type.shape.dim
    dims[2].dim_value, dims[3].dim_value = height, width
    del resized.graph.value_info[:]
    onnx.save(resized, str(path))


def convert(model, network, calibration, options):
    converter = BUILD / "tools/cssconvert"
    newest = max(file.stat().st_mtime for file in (converter, model))
    if not network.exists() or network.stat().st_mtime < newest:
        subprocess.run([converter, model, "-o", network, "--calibration", calibration,
                        *options], check=True, stdout=subprocess.DEVNULL)


def measure(clip, network, rounds, opponents_model):
    command = [BUILD / "bench/bench_streams", network, clip, "--rounds", str(rounds),
               "--hold", "0", "4", "8", "16", "--dead-zone", "0", "0.25", "0.5"]
    if NODE_MODULES.exists():
        opponent = ROOT / "bench/opponents/onnxruntime/opponent.js"
        command += ["--opponent", f"ORT int8=node {opponent} {opponents_model} {{pictures}} "
                                  "--int8 {calibration}"]
    subprocess.run(command, check=True, env=dict(os.environ, NODE_PATH=str(NODE_MODULES)))


def measure_whole_frames(clip, model, work, rounds):
    frames = sorted(clip.glob("*.png"))
    height, width = size_of(frames[0])
    folder = work / clip.name
    folder.mkdir(parents=True, exist_ok=True)
    for frame in frames[::max(1, len(frames) // CALIBRATION_FRAMES)]:
        link = folder / frame.name
        if not link.exists():
            link.symlink_to(frame.resolve())
    network = work / f"{clip.name}.fb"
    convert(model, network, folder, ["--input-size", f"{height}x{width}", *WHOLE_FRAMES])
    resized = work / f"{clip.name}.onnx"
    if NODE_MODULES.exists():
        write_resized(model, height, width, resized)
    print(f"{clip.name}, ResNet-20, {width}x{height}", flush=True)
    measure(clip, network, rounds, resized)


def measure_resized(clip, shared, work, rounds):
    model = shared / "models/imagenet/mobilenet_v2_1.0_224-float.onnx"
    network = work / "mobilenet_v2.fb"
    convert(model, network, shared / "imagenet/calibration", RESIZED)
    print(f"{clip.name}, MobileNetV2, 224x224", flush=True)
    measure(clip, network, rounds, model)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shared", type=pathlib.Path)
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=1)
    arguments = parser.parse_args()
    resnet = arguments.shared / "models/resnet20.onnx"
    for clip in sorted((arguments.shared / "streams").iterdir()):
        if clip.is_dir():
            measure_whole_frames(clip, resnet, arguments.work, arguments.rounds)
            measure_resized(clip, arguments.shared, arguments.work, arguments.rounds)


if __name__ == "__main__":
    main()
