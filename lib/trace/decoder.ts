/** The thread that decodes RunMetadata: a program, started by recorded-aside.ts. */
import { parentPort, workerData } from 'node:worker_threads';
import { readRecorded } from './recorded.js';
import type { Piece } from './recorded-aside.js';

/** Nodes and kernels in one message: unpacked in under a millisecond. */
const PIECE = 400;

const port = parentPort!;
const metadata = workerData as Uint8Array<ArrayBuffer>;
const { nodes, kernels, events, outputs, originUs } = readRecorded(metadata);
const longest = Math.max(nodes.length, kernels.length);
let at = 0;

port.on('message', () => {
  const piece: Piece = { nodes: nodes.slice(at, at + PIECE), kernels: kernels.slice(at, at + PIECE) };
  at += PIECE;
  if (at < longest) port.postMessage(piece);
  else {
    const last = { events, outputs, originUs, metadata };
    const buffers = [events.buffer, outputs.buffer, metadata.buffer] as ArrayBuffer[];
    port.postMessage({ ...piece, last }, buffers);
  }
});
