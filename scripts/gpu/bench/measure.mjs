// Takes the plan's measurements, each in a fresh process, in rounds that take turns, until the time is over. What fails is
// written down, and the others go on.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { configOf, MODELS, VARIANTS } from './cases.mjs';
import { configBytes } from './config.mjs';
import { printed } from './processes.mjs';

export const program = (name) => fileURLToPath(new URL(`programs/${name}`, import.meta.url));
const SESSION_RUN = fileURLToPath(new URL('../../bench/programs/session_run.py', import.meta.url));

/** Guessed of what has not run yet, in seconds; and what no process may take longer than. */
const UNKNOWN_SECONDS = 8;
const MOST_SECONDS = 150;
/** From so many rows on a card may be too small. */
const LARGE_BATCH = 32;

/** Runs at a time for the throughput at the largest batch. */
const IN_FLIGHT = 4;

/** The device that stands for the GPU in a rehearsal. */
export const STAND_IN = '/CPU:1';

/**
 * @param {object} given
 * @param {ReturnType<import('./cases.mjs').planOf>} given.plan
 * @param {import('../rig/kit.mjs').Kit} given.kit Its `raw` and `python` are run where they are there.
 * @param {string} given.library The file that the others opened.
 * @param {boolean} given.rehearse
 * @param {() => number} given.elapsed Seconds of the budget that are spent.
 * @param {(text: string) => void} given.log
 * @param {(state: object) => Promise<void>} given.keep What there is, after each process: the machine may be lost.
 */
export async function measureAll({ plan, kit, library, rehearse, elapsed, log, keep }) {
  const folder = await mkdtemp(join(tmpdir(), 'tf-session-bench-'));
  const state = { measurements: [], seen: [], problems: [], leftOut: [], names: new Map() };
  const given = { plan, kit, library, rehearse, folder, state };
  const took = new Map();
  const over = new Set();
  try {
    for (const [i, { rounds, cases }] of plan.groups.entries()) {
      for (let round = 0; round < rounds; round++) {
        const order = round % 2 === 0 ? cases : cases.toReversed();
        for (const [j, each] of order.entries()) {
          if (over.has(each.name)) continue;
          const rest = plan.budget - elapsed();
          if (rest < (took.get(each.name) ?? UNKNOWN_SECONDS)) {
            if (!took.has(each.name)) late(state, each);
            continue;
          }
          log(
            `${i + 1} of ${plan.groups.length}, round ${round + 1} of ${rounds}, ${j + 1} of ${order.length}: ${each.name}`,
          );
          const isFirst = !took.has(each.name);
          const seconds = Math.min(MOST_SECONDS, rest + UNKNOWN_SECONDS);
          const result = await take(each, { ...given, isFirst, seconds });
          took.set(each.name, result.seconds);
          if (result.isOver) over.add(each.name);
          await keep(found(state));
        }
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return found(state);
}

const found = ({ names: _, ...rest }) => rest;

/** On a slow machine that is to be expected. */
function late(state, { name }) {
  if (!state.leftOut.some(({ what }) => what === name))
    state.leftOut.push({ what: name, why: 'the time was over', isExpected: true });
}

/** One process. `isOver`: another one would come to the same. */
async function take(each, given) {
  const { state, rehearse, isFirst, seconds } = given;
  const start = await command(each, given);
  if (start.leftOut !== undefined) {
    state.leftOut.push({ what: each.name, why: start.leftOut, isExpected: start.isExpected });
    return { seconds: 0, isOver: true };
  }
  const ended = await printed(start.program, start.args, { env: start.env, seconds });
  const isOver = record(each, ended, {
    state,
    rehearse,
    isFirst,
    isCut: ended.isLate && seconds < MOST_SECONDS,
  });
  return { seconds: ended.seconds, isOver };
}

/** What a process has printed, and how it ended. `isCut`: by the end of the time. */
function record(each, { lines, failure }, { state, rehearse, isFirst, isCut }) {
  const { name, who, model, device, variant } = each;
  const leaveOut = (what, why) => state.leftOut.push({ what, why, isExpected: true });
  const sees = lines.findLast((line) => Array.isArray(line.devices))?.devices;
  if (device === 'GPU' && !rehearse && sees !== undefined && !sees.some((text) => text.includes(':GPU:'))) {
    leaveOut(name, 'its TensorFlow has no GPU device');
    return true;
  }
  let isOver = false;
  let measurements = [];
  const problem = (batch, error) => {
    const found = problemOf(each, batch, error);
    state.problems.push(found);
    // What is too large for the card is so in the next round, the smaller ones are not.
    if (found.isExpected) each.batches = each.batches.filter((size) => size < batch);
    else isOver = true;
  };
  for (const line of lines) {
    if (line.feed !== undefined) state.names.set(model, line);
    else if (line.error !== undefined) problem(line.batch, line.error);
    else if (line.skipped !== undefined) {
      if (isFirst) leaveOut(`${name}, batch ${line.batch}`, line.skipped);
    } else if (line.medianUs !== undefined) {
      measurements.push({ who, model, device, variant, ...line });
    } else if (line.seen !== undefined) {
      state.seen.push({ what: name, ...line.seen });
      const wrong = wrongPlace(each, line.seen, rehearse);
      if (wrong === undefined) continue;
      problem(each.batches[0], wrong);
      // They would stand under the name of what they are not.
      if (line.seen.error === undefined) measurements = [];
    }
  }
  state.measurements.push(...measurements);
  const reached = new Set(lines.map(({ batch }) => batch));
  const missed = each.batches.find((batch) => !reached.has(batch));
  if (isCut && missed !== undefined) leaveOut(`${name}, from batch ${missed} on`, 'the time was over');
  else if (failure !== undefined && !isCut) problem(missed, failure);
  return isOver || isCut;
}

/** @returns {Promise<{ program?: string, args?: string[], env?: object, leftOut?: string, isExpected?: boolean }>} */
async function command({ who, model, device, variant, batches }, given) {
  const { plan, kit, library, rehearse, folder, state } = given;
  const config = configBytes(configOf(variant, device, rehearse));
  const isStandIn = rehearse && device === 'GPU';
  const base = {
    folder: join(kit.models, model),
    config: config.toString('base64'),
    batches,
    seconds: plan.seconds,
  };
  if (who === 'ours') {
    const job = {
      ...base,
      library,
      freeze: VARIANTS[variant].freeze ?? false,
      ...(isStandIn && { device: STAND_IN }),
      limitMs: plan.limitMs,
      ...(device === 'GPU' && { inFlight: IN_FLIGHT }),
      look: given.isFirst,
    };
    // By itself XLA compiles for GPUs only.
    const env = isStandIn && variant === 'xla' ? { TF_XLA_FLAGS: '--tf_xla_cpu_global_jit' } : {};
    return { program: process.execPath, args: [program('model.mjs'), JSON.stringify(job)], env };
  }
  const present = who === 'raw' ? kit.raw : kit.python;
  if (present === undefined)
    return {
      leftOut: `${who === 'raw' ? 'the program' : 'Python'} is not there`,
      isExpected: who === 'python',
    };
  const names = state.names.get(model);
  if (names === undefined)
    return { leftOut: `${MODELS[model]} was not loaded, so that its ops are not known` };
  const { feed, fetch, shape } = names;
  if (who === 'python') {
    const bare = (name) => name.split(':')[0];
    const job = { ...base, feed: bare(feed), fetch: bare(fetch), shape };
    return { program: kit.python.command, args: [SESSION_RUN, JSON.stringify(job)], env: kit.python.env };
  }
  const file = join(folder, `${device}-${variant}.pb`);
  await writeFile(file, config);
  // Its form: OP, or OP@INDEX.
  const op = (name) => name.replace(/:0$/, '').replace(':', '@');
  const dims = [1, ...shape.slice(1)].join(',');
  const args = [base.folder, '--feed', `${op(feed)}:float:${dims}`, '--fetch', op(fetch)];
  args.push('--config', file, '--seconds', String(plan.seconds));
  for (const batch of batches) args.push('--batch', String(batch));
  // Linked against a library of this name: the one that is measured, wherever it lay at that time.
  const paths = [dirname(library), process.env.LD_LIBRARY_PATH].filter(Boolean);
  return { program: kit.raw, args, env: { LD_LIBRARY_PATH: paths.join(delimiter) } };
}

/** What failed, and whether that was to be expected: large batches do not fit on small cards. */
export function problemOf({ name, device }, batch, error) {
  const isMemory = /RESOURCE_EXHAUSTED|out of memory|\bOOM\b|OUT_OF_MEMORY/i.test(error);
  return {
    what: batch === undefined ? name : `${name}, batch ${batch}`,
    error,
    isExpected: isMemory && device === 'GPU' && batch >= LARGE_BATCH,
  };
}

/** What a traced run shows that the figures hide. */
export function wrongPlace({ device, variant }, seen, rehearse) {
  if (seen.error !== undefined) return `its ops could not be looked at: ${seen.error}`;
  const wanted = rehearse ? STAND_IN.slice(1) : 'GPU:0';
  if (device === 'GPU' && !(seen.kernels[wanted] > 0)) return `no op ran on ${wanted}`;
  if (variant === 'xla' && seen.clusters === 0) return 'XLA compiled nothing';
  if (variant === 'mixed' && device === 'GPU' && !rehearse && seen.halves === 0)
    return 'no op computed in float16';
  return undefined;
}
