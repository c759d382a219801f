// What a model that is loaded, run and closed leaves behind, beside a C program that does the same through the same library.
//
//     node scripts/measure/reloads.mjs [--cycles 1000] [--warm-up 1500] [--repeats 3] [--json]
//
// Each side is a process of its own, repeated in turns. Resident memory is sampled every 10 cycles; the line through the samples
// after the warm-up (least squares) says what a cycle leaves. Ours needs so long until it is level, since loads take turns on
// several threads, each with an arena of malloc's own. Ends with status 1 where the median of ours is above that of the C program
// by more than 20 % of it, and by more than the noise: half the range of either side's repeats, or 1 kB.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { SavedModel, Tensor } from '../../dist/index.js';
import { native } from '../bench/peers.mjs';
import { median, resident, slope } from './figures.mjs';

const { values } = parseArgs({
  options: {
    cycles: { type: 'string', default: '1000' },
    'warm-up': { type: 'string', default: '1500' },
    repeats: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
    child: { type: 'boolean', default: false },
  },
});
const MODEL = fileURLToPath(new URL('../../test/fixtures/tf2-functions/saved_model', import.meta.url));
const WARM_UP = Number(values['warm-up']);
const CYCLES = WARM_UP + Number(values.cycles);
const EVERY = 10;
const MOST_SHARE = 0.2;
const LEAST_KILOBYTES = 1;

await (values.child ? cycles() : measure());

async function cycles() {
  for (let i = 1; i <= CYCLES; i++) {
    const model = await SavedModel.load(MODEL);
    await model.run({ x: Tensor.from(new Float32Array(8), [1, 8]) });
    await model.close();
    if (i % EVERY !== 0) continue;
    globalThis.gc();
    console.log(`${i} ${Math.round(resident() * 1024)}`);
  }
}

async function measure() {
  const model = await SavedModel.load(MODEL);
  const { inputs, outputs } = model.signatures.serving_default;
  const [input, output] = [inputs.x, outputs.y].map(({ name }) => name.split(':')[0]);
  await model.close();
  const program = await native('reloads', fileURLToPath(new URL('reloads.cc', import.meta.url)));
  const sides = [
    { name: 'C', command: [program, MODEL, CYCLES, EVERY, input, output], slopes: [], levels: [] },
    {
      name: 'ours',
      command: [
        process.execPath,
        '--expose-gc',
        fileURLToPath(import.meta.url),
        '--child',
        '--cycles',
        values.cycles,
        '--warm-up',
        WARM_UP,
      ],
      slopes: [],
      levels: [],
    },
  ];
  for (let repeat = 0; repeat < Number(values.repeats); repeat++) {
    for (const { command, slopes, levels } of sides) {
      const after = (await samplesOf(command.map(String))).filter(({ x }) => x > WARM_UP);
      slopes.push(slope(after));
      levels.push([after[0].y, after.at(-1).y].map((kilobytes) => kilobytes / 1024));
    }
  }
  const [raw, ours] = sides.map(({ slopes }) => median(slopes));
  const rangeOf = ({ slopes }) => Math.max(...slopes) - Math.min(...slopes);
  const noise = Math.max(LEAST_KILOBYTES, ...sides.map((side) => rangeOf(side) / 2));
  const within = ours - raw <= Math.max(noise, MOST_SHARE * Math.max(0, raw));
  const report = {
    cycles: CYCLES - WARM_UP,
    warmUp: WARM_UP,
    sides,
    raw,
    ours,
    ratio: ours / raw,
    noise,
    within,
  };
  if (values.json) {
    console.log(JSON.stringify(report));
  } else {
    for (const { name, slopes, levels } of sides) {
      const each = slopes.map((value) => value.toFixed(2)).join(', ');
      const [from, to] = levels[0].map((value) => value.toFixed(1));
      console.log(
        `${name.padEnd(5)}${median(slopes).toFixed(2)} kB a cycle (${each}); the first: ${from} to ${to} MB`,
      );
    }
    console.log(
      `ratio ${report.ratio.toFixed(2)}, noise ${noise.toFixed(2)} kB a cycle: ${within ? 'held' : 'NOT HELD'}`,
    );
  }
  process.exitCode = within ? 0 : 1;
}

/** What a process prints: `cycle kB`. */
async function samplesOf([command, ...args]) {
  const child = spawn(command, args, {
    env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (more) => {
    text += more;
  });
  const status = await new Promise((resolve) => child.on('close', resolve));
  if (status !== 0) throw new Error(`${command} ended with ${status}`);
  return text
    .trim()
    .split('\n')
    .map((line) => line.split(' ').map(Number))
    .map(([x, y]) => ({ x, y }));
}
