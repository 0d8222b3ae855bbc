// What the scripts of this folder share: sessions as a careful user makes them, and files of pictures.
'use strict';
const fs = require('fs');
// The package's public interface puts every run off to node's event loop, which costs 0.01 to 0.03 ms.
const { binding, initOrt } = require('onnxruntime-node/dist/binding.js');
const { Tensor } = require('onnxruntime-node');

initOrt();

exports.open = (model, threads = 1, more = {}) => {
  const session = new binding.InferenceSession();
  session.loadModel(model, {
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    interOpNumThreads: 1,
    intraOpNumThreads: threads,
    ...more,
  });
  const fetches = Object.fromEntries(session.outputMetadata.map(({ name }) => [name, null]));
  return {
    input: session.inputMetadata[0],
    run: (feeds) => session.run(feeds, fetches, {}), // {tensor: {data}}
  };
};

// A grey picture, as feeds of the session.
exports.oneFeed = (session) => {
  const { name, shape } = session.input;
  const dims = [1, ...shape.slice(1)];
  const grey = new Float32Array(dims.reduce((a, b) => a * b));
  return { [name]: new Tensor('float32', grey, dims) };
};

// The normalized pictures of a file, 32-bit floats, as feeds of the session, one picture each.
exports.readFeeds = (session, file) => {
  const { name, shape } = session.input;
  const dims = [1, ...shape.slice(1)];
  const size = dims.reduce((a, b) => a * b);
  const bytes = fs.readFileSync(file);
  const floats = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const feeds = [];
  for (let at = 0; at + size <= floats.length; at += size) {
    feeds.push({ [name]: new Tensor('float32', floats.slice(at, at + size), dims) });
  }
  if (feeds.length === 0) throw new Error(`${file}: no picture of ${dims.join(' x ')} numbers`);
  return feeds;
};
