// `npm run bench`: this library beside a raw C++ loop, a bare Node-API addon, Python, tfjs-node and onnxruntime-node, on one
// library and the same models, in fresh processes that take turns; where a limit is smaller than what two processes of one
// program differ by, in one process, in slices that take turns. Prints the ratios that should hold.
//
//   npm run bench -- [--rounds 5] [--quick] [--only TEXT]… [--json FILE] [--html FILE]
//
// --only keeps the ratios whose name holds the text, and the models of that name. --quick: one short round. Ends with status 1 where a ratio does not hold.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { main } from '../tools/failure.mjs';
import { MEASUREMENTS, MODELS, PEERS, RATIOS } from './cases.mjs';
import * as peers from './peers.mjs';
import { checkRatios, page, table } from './report.mjs';

const USAGE = 'npm run bench -- [--rounds N] [--quick] [--only TEXT]… [--json FILE] [--html FILE]';
const program = (name) => fileURLToPath(new URL(`programs/${name}`, import.meta.url));

/** What of the places below could not be had, each once, with the reason. */
const missing = new Map();
const places = new Map();
function place(name, make) {
  if (!places.has(name)) places.set(name, make());
  return places.get(name);
}

/** The graph's own names of a signature's input and output. */
async function names(folder) {
  const { decodeMetaGraph, readMetaGraphBytes } = await import('../../dist/saved-model/reader.js');
  const { signaturesOf } = await import('../../dist/saved-model/signatures.js');
  const { serving_default } = signaturesOf(decodeMetaGraph(await readMetaGraphBytes(folder, ['serve'])));
  const op = (info) => Object.values(info)[0].name.split(':')[0];
  return { feed: op(serving_default.inputs), fetch: op(serving_default.outputs) };
}

async function tuned(folder, tolerance, quick) {
  const file = join(peers.CACHE, `tuned-${folder.split('/').at(-1)}.json`);
  const args = ['tune', folder, '--for', 'latency', '--tolerance', tolerance, '--out', file];
  if (quick) args.push('--rounds', '2', '--round-ms', '200');
  console.error(`tf-session ${args.join(' ')} …`);
  await peers.capture(process.execPath, [
    fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url)),
    ...args,
  ]);
  return JSON.parse(await readFile(file, 'utf8'));
}

/** One fresh process. */
async function run(
  { program: kind, model, mode, beside, options, batch, seconds = 1, tuned: isTuned },
  quick,
) {
  const folder = join(await place('models', peers.models), model);
  const { shape: given, dtype } = MODELS[model];
  const shape = batch === undefined ? given : [batch, ...given.slice(1)];
  const length = quick ? Math.min(seconds, 0.5) : seconds;
  const node = (name, job) =>
    peers.capture(process.execPath, [
      program(name),
      JSON.stringify({ folder, mode, shape, dtype, seconds: length, ...job }),
    ]);
  let text;
  if (kind === 'ours') {
    text = await node('ours.mjs', {
      options: isTuned ? await place(`tuned ${model}`, () => tuned(folder, isTuned, quick)) : options,
    });
  } else if (kind === 'tfjs') {
    text = await node('tfjs.mjs', { module: await place('tfjs-node', peers.tfjs) });
  } else if (kind === 'onnx') {
    const module = await place('onnxruntime-node', peers.onnxruntime);
    text = await node('onnx.mjs', {
      module,
      file: await place(`onnx ${model}`, () => peers.toOnnx(join(folder, '..'), model)),
    });
  } else {
    const { feed, fetch } = await place(`names ${model}`, () => names(folder));
    if (kind === 'python') {
      const job = JSON.stringify({ folder, feed, fetch, shape, seconds: length });
      text = await peers.capture(await place('Python', peers.python), [program('session_run.py'), job]);
    } else {
      const { raw, hop } = await place('natives', peers.natives);
      if (kind === 'paired') {
        const warmUp = join(folder, '..', 'tiny');
        // The session that is loaded first is up to 2 % slower than the other, whosoever it is: each is once.
        const halves = [];
        for (const hopFirst of [false, true]) {
          const job = { addon: hop, hopFirst, warmUp, feed, fetch, beside, options };
          halves.push(JSON.parse(await node('paired.mjs', job)));
        }
        const mean = (figure) => (halves[0][figure] + halves[1][figure]) / 2;
        return { medianUs: mean('medianUs'), besideUs: mean('besideUs'), ratio: mean('ratio') };
      }
      const flags = { caller: ['--caller'], 'no-copies': ['--no-copies', '--caller'] }[mode] ?? [];
      text = await peers.capture(raw, [
        folder,
        '--feed',
        `${feed}:${dtype ?? 'float'}:${shape}`,
        '--fetch',
        fetch,
        ...flags,
        '--seconds',
        String(length),
      ]);
    }
  }
  return JSON.parse(text.trim().split('\n').at(-1));
}

await main(async () => {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '5' },
      quick: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      json: { type: 'string' },
      html: { type: 'string' },
    },
  });
  const ratios = RATIOS.filter(
    ({ what }) => values.only.length === 0 || values.only.some((text) => what.includes(text)),
  );
  const beside = PEERS.filter(({ model }) => values.only.length === 0 || values.only.includes(model));
  const wanted = new Set([
    ...ratios.flatMap(({ of, to }) => [of, ...to]),
    ...beside.flatMap(({ model: _, ...programs }) => Object.values(programs)),
  ]);
  const figures = new Map([...wanted].map((name) => [name, []]));
  const rounds = values.quick ? 1 : Number(values.rounds);
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? [...wanted] : [...wanted].reverse();
    for (const [i, name] of order.entries()) {
      if (missing.has(name)) continue;
      process.stderr.write(`round ${round + 1} of ${rounds}, ${i + 1} of ${order.length}: ${name}\n`);
      try {
        figures.get(name).push(await run(MEASUREMENTS[name], values.quick));
      } catch (error) {
        missing.set(name, error.message);
        console.error(`left out: ${name}: ${error.message}`);
      }
    }
  }
  const rows = checkRatios(ratios, figures);
  console.log(table(figures, rows, beside, missing));
  if (values.json !== undefined) {
    await writeFile(
      values.json,
      JSON.stringify({ figures: Object.fromEntries(figures), ratios: rows }, null, 2),
    );
  }
  if (values.html !== undefined) await writeFile(values.html, page(figures, rows, beside, missing));
  if (rows.some(({ holds }) => holds === false)) process.exitCode = 1;
}, USAGE);
