// A process that takes inputs, one after the other, until it is told no more or does not survive one. Started by
// campaign.mjs: `{ kind, seed, number, allWays }` comes, `{ way }` goes back as each begins, `{ ends }` at the end.
import process from 'node:process';
import { writeInput } from './inputs/inputs.mjs';
import { ended, npy, unguarded, WAYS } from './ways.mjs';

const folder = process.argv[2];
let foreign;
const note = (error) => {
  foreign = `foreign: ${error?.stack ?? String(error)}`;
};
process.on('SIGINT', () => {}); // whoever started this ends it
process.on('uncaughtException', note);
process.on('unhandledRejection', note);

process.on('message', async (input) => {
  foreign = undefined;
  const ends = {};
  const { path, from } = input.path === undefined ? await writeInput(folder, input).catch(broken) : input;
  process.send({ path, from });
  const ways = input.ways ?? waysOf(input);
  for (const way of ways) {
    process.send({ way });
    ends[way] = await ended(take(way, path, input.number));
  }
  // What was thrown outside of any promise that was waited for.
  await new Promise((resolve) => setImmediate(resolve));
  if (foreign !== undefined) ends.outside = foreign;
  process.send({ ends });
});

function take(way, path, number) {
  if (way === 'npy') return npy(path, number);
  return way === 'unguarded' ? unguarded(path) : WAYS[way](path);
}

function waysOf({ kind, number, allWays }) {
  if (kind === 'npy') return ['npy'];
  const [plain, ...others] = Object.keys(WAYS);
  return allWays ? [plain, ...others] : [plain, others[number % others.length]];
}

/** The mistake is here, not in what is tested. */
function broken(error) {
  console.error(error);
  process.exit(3);
}
