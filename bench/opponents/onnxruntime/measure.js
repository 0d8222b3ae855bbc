// For quantize.py, which has Python's onnx but not ONNX Runtime:
//
//     node measure.js fold MODEL.onnx FOLDED.onnx        folds constants and batch normalization
//     node measure.js ranges MODEL.onnx PICTURES         prints {tensor: [least, largest]} of the
//                                                        model's input and all its outputs
'use strict';
const { open, readFeeds } = require('./session.js');

function ranges(model, pictures) {
  const session = open(model);
  const found = {};
  for (const feeds of readFeeds(session, pictures)) {
    for (const [name, { data }] of Object.entries({ ...session.run(feeds), ...feeds })) {
      let [low, high] = found[name] ?? [Infinity, -Infinity];
      for (let i = 0; i < data.length; ++i) {
        low = Math.min(low, data[i]);
        high = Math.max(high, data[i]);
      }
      found[name] = [low, high];
    }
  }
  return found;
}

const [what, model, file] = process.argv.slice(2);
if (what === 'fold') {
  open(model, 1, { graphOptimizationLevel: 'basic', optimizedModelFilePath: file });
} else {
  console.log(JSON.stringify(ranges(model, file)));
}
