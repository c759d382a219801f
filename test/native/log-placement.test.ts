import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fromBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { SavedModelSchema } from '../../lib/proto/tensorflow/core/protobuf/saved_model_pb.js';
import { fixture, temporaryDirectory } from '../saved-model/models.js';

const MODEL = fixture('several-signatures');
const SCRIPT = fileURLToPath(new URL('children/log-placement.mjs', import.meta.url));
const LINE = /^(\S+): \((\w+)\): \/job:localhost\/replica:0\/task:0\/device:CPU:0$/;

/** What the script writes to its stdout, which is a pipe or a file; the built package runs in it. */
async function stdoutOf(ending: string, to: 'pipe' | 'file'): Promise<string> {
  const path = join(await temporaryDirectory(), 'stdout');
  const file = openSync(path, 'w');
  const child = spawn(process.execPath, [SCRIPT, MODEL, ending], {
    stdio: ['ignore', to === 'file' ? file : 'pipe', 'ignore'],
  });
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  const [status, signal] = await new Promise<unknown[]>((resolve) =>
    child.on('close', (...how) => resolve(how)),
  );
  closeSync(file);
  expect([status, signal]).toEqual(ending === 'kill' ? [null, 'SIGKILL'] : [0, null]);
  return to === 'file' ? readFile(path, 'utf8') : text;
}

describe.each(['pipe', 'file'] as const)(
  "logDevicePlacement's lines reach a %s whole, one for each op",
  (to) => {
    it.each(['close', 'end', 'exit', 'kill'])('in a program that ends by %s', async (ending) => {
      const { metaGraphs } = fromBinary(SavedModelSchema, await readFile(join(MODEL, 'saved_model.pb')));
      const nodes = metaGraphs.find(({ metaInfoDef }) => metaInfoDef!.tags.join() === 'serve')!.graphDef!
        .node;
      const lines = (await stdoutOf(ending, to)).split('\n');
      expect(lines.pop()).toBe('');
      const placed = lines.map((line) => LINE.exec(line)?.slice(1).join(' ') ?? line);
      expect(placed.sort()).toEqual(nodes.map(({ name, op }) => `${name} ${op}`).sort());
    });
  },
);
