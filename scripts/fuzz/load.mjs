// Damaged models, checkpoints and .npy files through all of a load and a run, in child processes. Each ends in a result or
// in a TensorFlowError; what does not is counted and kept in build/fuzz/load.
//
//     node scripts/fuzz/load.mjs [--count 10000] [--kind saved_model|checkpoint|npy|all] [--seed 1] [--first 0]
//       [--all-ways] [--children 2] [--json]
//
// A model is loaded by TensorFlow's own loader and in one other way, by its number, or with `--all-ways` in all. The input
// of a number is the same in every run with that seed: `--first N --count 1` takes that one alone. Ends with
// status 1 where the fault is not TensorFlow's alone, or where TensorFlow ended a process at a place that known.mjs does
// not have. What ended after more than 10 s, or took more than 4 GB, is counted alone. An interrupt (Ctrl-C) ends it
// early, with what there is so far.
import { parseArgs } from 'node:util';
import { Failure, main } from '../tools/failure.mjs';
import { campaign } from './campaign.mjs';
import { KINDS } from './inputs/inputs.mjs';
import { isFault, summary } from './summary.mjs';

await main(async () => {
  const { values } = parseArgs({
    options: {
      count: { type: 'string', default: '10000' },
      first: { type: 'string', default: '0' },
      kind: { type: 'string', default: 'all' },
      seed: { type: 'string', default: '1' },
      'all-ways': { type: 'boolean', default: false },
      children: { type: 'string', default: '2' },
      json: { type: 'boolean', default: false },
    },
  });
  const kinds = values.kind === 'all' ? KINDS : [values.kind];
  if (!kinds.every((kind) => KINDS.includes(kind))) throw new Failure(`--kind: ${KINDS.join(', ')} or all.`);
  const faults = [];
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  for (const kind of kinds) {
    const count = Number(values.count);
    const outcome = await campaign({
      kind,
      count,
      seed: Number(values.seed),
      first: Number(values.first),
      allWays: values['all-ways'],
      children: Number(values.children),
      nice: 10,
      signal: stop.signal,
      onProgress: (done) => {
        if (process.stderr.isTTY || done % 1000 === 0)
          process.stderr.write(`${kind}: ${done} of ${count}${process.stderr.isTTY ? '\r' : '\n'}`);
      },
    });
    console.log(values.json ? JSON.stringify(outcome) : summary(outcome));
    faults.push(...outcome.found.filter(isFault));
  }
  if (faults.length > 0)
    throw new Failure(`${faults.length} inputs ended as none may; they are in build/fuzz/load.`);
});
