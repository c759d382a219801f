/** RunMetadata decoded beside the event loop, where it is large: some 40 ms a megabyte otherwise. */
import { type ErrorCode, TensorFlowError } from '../errors.js';
import { startThread } from '../thread.js';
import { type Recorded, type RecordedKernel, type RecordedNode, readRecorded } from './recorded.js';

/** Above so many bytes; below, a thread costs more than it saves. */
const LARGE = 256 * 1024;

/** What the thread answers each time it is asked: a piece of the strings, and at the end the numbers. */
export type Piece = {
  nodes: readonly RecordedNode[];
  kernels: readonly RecordedKernel[];
  last?: Pick<Recorded, 'events' | 'outputs' | 'originUs'> & { metadata: Uint8Array<ArrayBuffer> };
};

/** A run as it was recorded, and the bytes that say so. */
export interface Decoded {
  recorded: Recorded;
  metadata: Uint8Array;
}

/**
 * As `readRecorded`. Large bytes are given to a thread and come back: what was given is empty then.
 *
 * @param metadata All of its ArrayBuffer, which is nobody else's.
 * @throws TensorFlowError DATA_LOSS
 */
export async function readRecordedAside(metadata: Uint8Array): Promise<Decoded> {
  // This file is lib/trace/recorded-aside.ts, or in dist/bundle/.
  const program = new URL('../trace/decoder.js', import.meta.url);
  if (metadata.length <= LARGE) return here(metadata);
  // The graphs of frozen models are in it, with their weights: a copy would take its time.
  const worker = startThread(program, metadata, [metadata.buffer as ArrayBuffer]);
  if (worker === undefined) return here(metadata);
  const nodes: RecordedNode[] = [];
  const kernels: RecordedKernel[] = [];
  try {
    return await new Promise((resolve, reject) => {
      worker.on('error', (error) => reject(asOurs(error)));
      worker.on('exit', () => reject(new TensorFlowError('ABORTED', 'The thread that decodes was ended.')));
      worker.on('message', (piece: Piece) => {
        nodes.push(...piece.nodes);
        kernels.push(...piece.kernels);
        // Asked for one by one: what has arrived all at once is unpacked all at once.
        if (piece.last === undefined) return worker.postMessage('more');
        const { metadata: back, ...numbers } = piece.last;
        resolve({ recorded: { nodes, kernels, ...numbers }, metadata: back });
      });
      worker.postMessage('more');
    });
  } finally {
    await worker.terminate();
  }
}

function here(metadata: Uint8Array): Decoded {
  return { recorded: readRecorded(metadata), metadata };
}

/** An error that has come from the thread as a plain one. */
function asOurs(error: Error & { code?: string }): TensorFlowError {
  const code = error.name === 'TensorFlowError' ? (error.code as ErrorCode) : 'INTERNAL';
  return new TensorFlowError(code, error.message, { cause: error });
}
