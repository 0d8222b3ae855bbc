// Prints what ONNX Runtime and a model take beside node: the largest memory of this process, in MiB,
// after the first answer, less that before the package is loaded.
//
//     node memory.js MODEL.onnx
'use strict';
const fs = require('fs');

// The largest memory so far, in MiB. Linux counts it from the program's beginning on, whatever the
// process was before.
function peak() {
  return Number(/VmHWM:\s*(\d+)/.exec(fs.readFileSync('/proc/self/status', 'latin1'))[1]) / 1024;
}

const before = peak();
const { open, oneFeed } = require('./session.js');
const session = open(process.argv[2]);
session.run(oneFeed(session));
console.log(peak() - before);
