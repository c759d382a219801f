/** What can be changed of a model's options to make it faster, in groups of alternatives. */
import { availableParallelism } from 'node:os';
import type { Candidate } from '../bench/job.js';
import type { ConfigProtoJson } from '../config.js';
import type { LoadOptions } from '../load-options.js';
import type { Goal, Move } from './search.js';

export interface MoveOptions {
  goal: Goal;
  /** Whether single rows can be batched. */
  isBatchable: boolean;
  /** GPUs of the session. */
  gpus: number;
}

/** Options with these over them; of ConfigProtos two levels deep. */
function withOptions(candidate: Candidate, options: LoadOptions): Candidate {
  return { ...candidate, options: { ...candidate.options, ...options } };
}

function withConfig(candidate: Candidate, config: ConfigProtoJson): Candidate {
  return withOptions(candidate, {
    config: merged(candidate.options.config ?? {}, config) as ConfigProtoJson,
  });
}

function merged(a: object, b: object): object {
  const result: Record<string, unknown> = { ...a };
  for (const [key, value] of Object.entries(b)) {
    const before = result[key];
    const isBoth = [before, value].every(
      (each) => typeof each === 'object' && each !== null && !Array.isArray(each),
    );
    result[key] = isBoth ? merged(before as object, value as object) : value;
  }
  return result;
}

/** Powers of two up to the number of cores, and that number. */
function threadCounts(): number[] {
  const cores = availableParallelism();
  const counts = [1];
  while (counts.at(-1)! * 2 < cores) counts.push(counts.at(-1)! * 2);
  return [...new Set([...counts, cores])];
}

export function groupsOfMoves({ goal, isBatchable, gpus }: MoveOptions): Move[][] {
  const config = (name: string, of: ConfigProtoJson): Move => ({
    name,
    apply: (from) => withConfig(from, of),
  });
  const option = (name: string, of: LoadOptions): Move => ({ name, apply: (from) => withOptions(from, of) });
  const groups: Move[][] = [
    [option('freeze', { freeze: true })],
    threadCounts().map((count) =>
      config(`${count} compute thread${count === 1 ? '' : 's'}`, { intraOpParallelismThreads: count }),
    ),
    [option('caller', { executor: 'caller' }), option('pool', { executor: 'pool' })],
    [
      config('bfloat16 (oneDNN)', {
        graphOptions: { rewriteOptions: { autoMixedPrecisionOnednnBfloat16: 'ON' } },
      }),
      ...(gpus > 0
        ? [config('float16', { graphOptions: { rewriteOptions: { autoMixedPrecision: 'ON' } } })]
        : []),
      config('XLA', { graphOptions: { optimizerOptions: { globalJitLevel: 'ON_2' } } }),
    ],
  ];
  if (gpus > 0) {
    groups.unshift(
      ['/CPU:0', '/GPU:0'].map((device) => ({
        name: device,
        apply: (from) => ({
          ...withOptions(from, { devices: [device] }),
          run: { ...from.run, device },
        }),
      })),
    );
  }
  if (goal === 'throughput') {
    groups.push(
      [2, 4, 8].map((count) => ({
        name: `${count} in flight`,
        apply: (from) => ({ ...from, concurrency: count }),
      })),
    );
    groups.push([option('2 copies', { copies: 2 })]);
    if (isBatchable) {
      groups.push(
        [8, 32, 128].map((size) => ({
          name: `batches of ${size}`,
          apply: (from) => ({
            ...withOptions(from, { batcher: { maxBatchSize: size } }),
            batches: true,
            concurrency: 2 * size,
          }),
        })),
      );
    }
  }
  return groups;
}
