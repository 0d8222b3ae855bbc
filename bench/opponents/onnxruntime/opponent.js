// ONNX Runtime as an opponent of bench_networks, whose requests it answers (bench/networks/opponent.h).
'use strict';
const { execFileSync } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');
const readline = require('readline');
const { parseArgs } = require('util');
const { open, readFeeds } = require('./session.js');

const USAGE = 'node opponent.js MODEL.onnx PICTURES [--int8 CALIBRATION] [--threads N]';

// What another process takes for the model, without the pictures and the past of this one.
function memoryOf(model) {
  return Number(execFileSync('node', [path.join(__dirname, 'memory.js'), model]));
}

// A session of the model, and the memory it takes.
function openMeasured(model, threads) {
  return { session: open(model, threads), memory: memoryOf(model) };
}

// The same of the model in 8 bits, quantized by what it sees on these pictures.
function openInt8(model, calibration, threads) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'int8-'));
  try {
    const quantized = path.join(folder, 'model.onnx');
    execFileSync(path.join(__dirname, 'quantize.py'), [model, quantized, calibration]);
    return openMeasured(quantized, threads);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

function time(session, feeds, first, count) {
  const start = performance.now();
  for (let i = 0; i < count; ++i) session.run(feeds[(first + i) % feeds.length]);
  return (performance.now() - start) / count;
}

function classOf(outputs) {
  const numbers = Object.values(outputs)[0].data;
  return numbers.reduce((best, x, i) => (x > numbers[best] ? i : best), 0);
}

async function main() {
  const { positionals: [model, pictures], values } = parseArgs({
    allowPositionals: true,
    options: { int8: { type: 'string' }, threads: { type: 'string', default: '1' } },
  });
  if (pictures === undefined) throw new Error(USAGE);
  const threads = Number(values.threads);
  const { session, memory } = values.int8
    ? openInt8(model, values.int8, threads) : openMeasured(model, threads);
  const feeds = readFeeds(session, pictures);
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [what, first, count] = line.split(' ');
    const replies = {
      run: () => time(session, feeds, Number(first), Number(count)),
      answers: () => feeds.map((feed) => classOf(session.run(feed))).join(' '),
      memory: () => memory,
    };
    console.log(replies[what]());
  }
}

main().catch((error) => {
  console.error(`opponent.js: ${error.message}`);
  process.exit(1);
});
