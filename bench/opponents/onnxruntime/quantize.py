#!/usr/bin/python3
"""Quantizes a model for ONNX Runtime, statically, to 8 bits (QDQ).

    quantize.py MODEL.onnx OUT.onnx PICTURES

Weights are signed, with a scale for each channel of the output; activations unsigned, with the range
that they have on PICTURES (normalized, 32-bit floats); biases have 32 bits. A Relu or Clip behind a
layer is the lower or upper end of the range, and operators that only move elements keep the scale of
their input: as ONNX Runtime's own tool does it, so that every layer runs in integers. Needs
python3-onnx, node, and onnxruntime-node in NODE_PATH.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import numpy
import onnx
from onnx import helper, numpy_helper

MEASURE = pathlib.Path(__file__).with_name("measure.js")
LAYERS = {"Conv", "Gemm", "MatMul"}
SUMS = {"Add", "AveragePool", "GlobalAveragePool", "Concat"}  # with a scale of their own
MOVES = {"MaxPool", "Slice", "Pad", "Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze"}
RECTIFIERS = {"Relu", "Clip"}


def measure(*arguments):
    return subprocess.run(["node", MEASURE, *map(str, arguments)], check=True, text=True,
                          stdout=subprocess.PIPE).stdout


def only_rectifier(graph, tensor):
    """The node that alone reads the tensor, if it is a Relu or Clip."""
    readers = [n for n in graph.node if tensor in n.input]
    return readers[0] if len(readers) == 1 and readers[0].op_type in RECTIFIERS else None


class Quantizer:
    def __init__(self, model, ranges):
        self.graph = model.graph
        self.ranges = ranges
        self.constants = {c.name: numpy_helper.to_array(c) for c in model.graph.initializer}
        self.nodes, self.added = [], []
        self.codes = {}  # by tensor: names of scale and zero point, and the scale
        self.readable = {}  # by tensor: the tensor that reads it, in float again

    def constant(self, name, array):
        self.added.append(numpy_helper.from_array(array, name))
        return name

    def choose_code(self, tensor):
        low, high = min(self.ranges[tensor][0], 0), max(self.ranges[tensor][1], 0)
        scale = numpy.float32(max((high - low) / 255, 1e-8))
        zero = numpy.uint8(round(-low / scale))
        return (self.constant(f"{tensor}_scale", scale), self.constant(f"{tensor}_zero", zero),
                scale)

    def pass_on(self, tensor, code):
        """Rounds a tensor to 8 bits with this code, for those that read it."""
        self.codes[tensor] = code
        self.readable[tensor] = f"{tensor}_float"
        self.nodes += [
            helper.make_node("QuantizeLinear", [tensor, *code[:2]], [f"{tensor}_bytes"]),
            helper.make_node("DequantizeLinear", [f"{tensor}_bytes", *code[:2]],
                             [self.readable[tensor]])]

    def add_weights(self, node, inputs):
        weights = self.constants[inputs[1]]
        transposed = any(a.name == "transB" and a.i for a in node.attribute)
        axis = 0 if node.op_type == "Conv" or transposed else 1
        rest = tuple(i for i in range(weights.ndim) if i != axis)
        scales = numpy.abs(weights).max(axis=rest).astype(numpy.float32) / 127
        scales[scales == 0] = 1
        rounded = numpy.rint(weights / numpy.expand_dims(scales, rest)).astype(numpy.int8)
        inputs[1] = self.add_constant(inputs[1], rounded, scales, axis)
        if len(inputs) == 3 and inputs[2]:
            scales = scales * self.codes[node.input[0]][2]
            rounded = numpy.rint(self.constants[inputs[2]] / scales)
            limits = numpy.iinfo(numpy.int32)
            rounded = rounded.clip(limits.min, limits.max).astype(numpy.int32)
            inputs[2] = self.add_constant(inputs[2], rounded, scales, 0)

    def add_constant(self, name, rounded, scales, axis):
        inputs = [self.constant(f"{name}_rounded", rounded), self.constant(f"{name}_scales", scales),
                  self.constant(f"{name}_zeros", numpy.zeros(len(scales), rounded.dtype))]
        self.nodes.append(helper.make_node("DequantizeLinear", inputs, [f"{name}_float"], axis=axis))
        return f"{name}_float"

    def add(self, node, result):
        """Adds a node whose output takes the name `result`, that of the rectifier behind it."""
        inputs = [self.readable.get(i, i) for i in node.input]
        if node.op_type in LAYERS and inputs[1] in self.constants and node.input[0] in self.codes:
            self.add_weights(node, inputs)
        copy = onnx.NodeProto()
        copy.CopyFrom(node)
        del copy.input[:], copy.output[:]
        copy.input.extend(inputs)
        copy.output.append(result)
        self.nodes.append(copy)
        if result in {o.name for o in self.graph.output}:
            return  # in float
        if node.op_type in MOVES and node.input[0] in self.codes:
            self.pass_on(result, self.codes[node.input[0]])
        elif node.op_type in LAYERS | SUMS | RECTIFIERS:
            self.pass_on(result, self.choose_code(result))

    def run(self):
        self.pass_on(self.graph.input[0].name, self.choose_code(self.graph.input[0].name))
        dropped = set()
        for node in self.graph.node:
            if node.output[0] in dropped:
                continue
            rectifier = only_rectifier(self.graph, node.output[0])
            if node.op_type not in LAYERS | SUMS or rectifier is None:
                self.add(node, node.output[0])
            else:
                dropped.add(rectifier.output[0])
                self.add(node, rectifier.output[0])
        read = {i for n in self.nodes for i in n.input}
        kept = [c for c in [*self.graph.initializer, *self.added] if c.name in read]
        graph = helper.make_graph(self.nodes, self.graph.name, self.graph.input,
                                  self.graph.output, kept)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
        model.ir_version = 7
        return model


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    source, target, pictures = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        folded, probe = (pathlib.Path(folder) / name for name in ("folded.onnx", "probe.onnx"))
        measure("fold", source, folded)
        model = onnx.load(folded)
        watched = onnx.ModelProto()
        watched.CopyFrom(model)
        outputs = {o.name for o in model.graph.output}
        tensors = {n.output[0] for n in model.graph.node} - outputs
        tensors = {t for t in tensors if only_rectifier(model.graph, t) is None}
        watched.graph.output.extend(onnx.ValueInfoProto(name=t) for t in sorted(tensors))
        onnx.save(watched, probe)
        ranges = json.loads(measure("ranges", probe, pictures))
    onnx.save(Quantizer(model, ranges).run(), target)


if __name__ == "__main__":
    main()
