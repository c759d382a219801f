// Loads the prebuilt addon of this machine in each line of Node, and runs a model in each.
//
//   node scripts/prebuild/try-nodes.mjs [VERSION…]
import { parseArgs } from 'node:util';
import { Failure, main } from '../tools/failure.mjs';
import { ensureLibrary } from '../tools/library.mjs';
import { TARGETS } from './targets.mjs';
import { NODES, runTrial } from './trial.mjs';

await main(async () => {
  const { positionals } = parseArgs({ allowPositionals: true });
  const target = `${process.platform}-${process.arch}`;
  if (TARGETS[target] === undefined) throw new Failure(`There is no prebuilt addon for ${target}.`);
  await ensureLibrary();
  for (const version of positionals.length > 0 ? positionals : NODES) await runTrial({ target, version });
}, 'node scripts/prebuild/try-nodes.mjs [VERSION…]');
