// What a look at a run costs, and how long a timer waits meanwhile.
//
//     node scripts/measure/trace.mjs [--ops 10000] [--times 20] [--rounds 5]
//
// RunMetadata, that of so many runs of Basic Pitch as one, is decoded in the JS thread and in a thread of its own, in turn, as
// model.trace does. A model of so many small ops over four devices is explained, and traced into files.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { create, toBinary } from '@bufbuild/protobuf';
import { basicPitch } from '../models/basic-pitch.mjs';
import { fromDist } from '../tools/dist.mjs';
import { main } from '../tools/failure.mjs';
import { ensureLibrary } from '../tools/library.mjs';
import { median, watch } from './figures.mjs';

const FLOAT = 1;

await main(async () => {
  const { values } = parseArgs({
    options: {
      ops: { type: 'string', default: '10000' },
      times: { type: 'string', default: '20' },
      rounds: { type: 'string', default: '5' },
    },
  });
  const rounds = Number(values.rounds);
  await ensureLibrary();
  const { tensorflow } = await fromDist('index.js');
  await tensorflow.open({ logLevel: 'error' });
  await decoding(Number(values.times), rounds);
  await looking(Number(values.ops), rounds);
}, 'node scripts/measure/trace.mjs');

async function decoding(times, rounds) {
  const { SavedModel, Tensor } = await fromDist('index.js');
  const { readRecorded } = await fromDist('trace/recorded.js');
  const { readRecordedAside } = await fromDist('trace/recorded-aside.js');
  const model = await SavedModel.load(await basicPitch(), { config: { deviceCount: { CPU: 4 } } });
  const { metadata } = await model.trace({ input_2: Tensor.from(new Float32Array(43844), [1, 43844, 1]) });
  await model.close();
  // Messages one behind the other are one message with all that is in them.
  let bytes = new Uint8Array(Buffer.concat(Array.from({ length: times }, () => metadata)));
  console.log(
    `${(bytes.length / 1e6).toFixed(1)} MB of RunMetadata, medians of ${rounds} rounds that take turns`,
  );
  await compare(rounds, {
    'decoded in the JS thread': () => readRecorded(bytes),
    'decoded in a thread of its own': async () => {
      ({ metadata: bytes } = await readRecordedAside(bytes));
    },
  });
}

async function looking(ops, rounds) {
  const { SavedModel } = await fromDist('index.js');
  const folder = await mkdtemp(join(tmpdir(), 'tf-session-measure-'));
  try {
    await writeModel(folder, ops);
    const model = await SavedModel.load(folder, {
      config: { deviceCount: { CPU: 4 } },
      placement: [0, 1, 2, 3].map((i) => ({ scope: `part_${i}`, device: `/CPU:${i}` })),
    });
    console.log(`A model of ${ops} ops over four devices`);
    const x = Array.from({ length: 64 }, (_, i) => i);
    const trace = await model.trace({ x });
    console.log(`  ${trace.events.length} events, ${trace.report.transfers.length} transfers`);
    await compare(rounds, {
      run: () => model.run({ x }),
      explain: () => model.explain({ x }),
      trace: () => model.trace({ x }),
      writeChromeTrace: () => trace.writeChromeTrace(join(folder, 'trace.json')),
      writeTensorBoard: () => trace.writeTensorBoard(join(folder, 'logs')),
    });
    await model.close();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Ops in rows of a hundred, each of two before it; every tenth begins the next part. */
async function writeModel(folder, ops) {
  const { SavedModelSchema } = await fromDist('proto/tensorflow/core/protobuf/saved_model_pb.js');
  const T = { value: { case: 'type', value: FLOAT } };
  const node = [{ name: 'x', op: 'Placeholder', attr: { dtype: T } }];
  const name = (i) => (i < 0 ? 'x' : `part_${Math.floor(i / 10) % 4}/row_${Math.floor(i / 100)}/op_${i}`);
  for (let i = 0; i < ops; i++) {
    node.push({ name: name(i), op: 'Maximum', input: [name(i - 1), name(i - 7)], attr: { T } });
  }
  const info = (tensor) => ({
    encoding: { case: 'name', value: `${tensor}:0` },
    dtype: FLOAT,
    tensorShape: { dim: [{ size: -1n }] },
  });
  const metaGraph = {
    metaInfoDef: { tags: ['serve'] },
    graphDef: { node, versions: { producer: 2000 } },
    signatureDef: {
      serving_default: {
        inputs: { x: info('x') },
        outputs: { y: info(name(ops - 1)) },
        methodName: 'predict',
      },
    },
  };
  await mkdir(folder, { recursive: true });
  await writeFile(
    join(folder, 'saved_model.pb'),
    toBinary(
      SavedModelSchema,
      create(SavedModelSchema, { savedModelSchemaVersion: 1n, metaGraphs: [metaGraph] }),
    ),
  );
}

async function compare(rounds, ways) {
  const found = Object.fromEntries(Object.keys(ways).map((name) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const [name, work] of Object.entries(ways)) {
      const measured = await timed(work);
      if (round > 0) found[name].push(measured); // the first warms up
    }
  }
  for (const [name, all] of Object.entries(found)) {
    const ms = median(all.map((each) => each.ms));
    const delays = all.map(({ delay }) => delay.toFixed(1));
    console.log(
      `  ${name.padEnd(32)} ${ms.toFixed(1).padStart(8)} ms, longest delay of a timer ` +
        `${median(all.map((each) => each.delay)).toFixed(1)} ms (${delays.join(', ')})`,
    );
  }
}

async function timed(work) {
  const wait = () => new Promise((resolve) => setTimeout(resolve, 20));
  await wait();
  const longest = watch();
  const start = performance.now();
  await work();
  const ms = performance.now() - start;
  await wait();
  return { ms, delay: longest() };
}
