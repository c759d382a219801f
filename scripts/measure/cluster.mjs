// What TensorFlow's servers cost, on loopback: a run there beside one here, each task and each crossing between tasks, the bytes
// that really go over the wire, and how many runs a second two workers make beside one.
//
//     node scripts/measure/cluster.mjs [--rounds 5] [--seconds 3] [--tasks 8] [--only run,tasks,star,wire,spread]
//
// Graphs are made here: a chain of Neg over tasks, which the tensor passes one after the other, and back to the first; and a
// star, one Neg of a small tensor on each task, added up on the first. What is compared takes turns. The bytes are counted by sockets of this program that stand between the client and the first task, and
// between the tasks, in a round of its own that is not timed. For the throughput each worker has one core of its own (taskset).
import { execFileSync } from 'node:child_process';
import { connect, createServer } from 'node:net';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { create, toBinary } from '@bufbuild/protobuf';
import { resnet50 } from '../models/resnet50.mjs';
import { fromDist } from '../tools/dist.mjs';
import { main } from '../tools/failure.mjs';
import { freePorts } from '../tools/free-ports.mjs';
import { ensureLibrary } from '../tools/library.mjs';
import { median } from './figures.mjs';

const FLOAT = 1;
const SIZES = [1 << 10, 64 << 10, 1 << 20, 16 << 20];
const IN_FLIGHT = 8;

const { startServer, Session, SavedModel, Tensor, tensorflow } = await fromDist('index.js');

await main(async () => {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '3' },
      tasks: { type: 'string', default: '8' },
      only: { type: 'string', default: 'run,tasks,star,wire,spread' },
    },
  });
  const only = values.only.split(',');
  const rounds = Number(values.rounds);
  await ensureLibrary();
  process.env.TF_CPP_MIN_LOG_LEVEL = '3';
  await tensorflow.open({ logLevel: 'error' });
  const ports = await freePorts(Math.max(3, Number(values.tasks)));
  const cluster = { worker: ports.map((port) => `127.0.0.1:${port}`) };
  const servers = await Promise.all(ports.map((_, task) => start(cluster, task)));
  try {
    if (only.includes('run')) await oneRun(cluster, rounds);
    if (only.includes('tasks')) await byTasks(cluster, rounds);
    if (only.includes('star')) await star(cluster, rounds);
    if (only.includes('spread')) await spread(cluster, servers, rounds, Number(values.seconds));
  } finally {
    await Promise.all(servers.map((server) => server.close()));
  }
  if (only.includes('wire')) await onTheWire();
}, 'node scripts/measure/cluster.mjs');

function start(cluster, task) {
  const config = { deviceCount: { CPU: 1 }, intraOpParallelismThreads: 1 };
  return startServer({ cluster, job: 'worker', task, config, listenOnAllInterfaces: true });
}

/** `x` negated on each of these tasks in turn, and once more on the first. */
function chain(tasks) {
  const T = { value: { case: 'type', value: FLOAT } };
  const node = [{ name: 'x', op: 'Placeholder', attr: { dtype: T } }];
  for (const [i, task] of [...tasks, tasks[0]].entries()) {
    const device = task === undefined ? '' : `/job:worker/task:${task}/device:CPU:0`;
    node.push({ name: `y${i}`, op: 'Neg', input: [i === 0 ? 'x' : `y${i - 1}`], device, attr: { T } });
  }
  return { bytes: async (schema) => toBinary(schema, create(schema, { node })), last: `y${tasks.length}` };
}

async function open(tasks, options) {
  const { GraphDefSchema } = await fromDist('proto/tensorflow/core/framework/graph_pb.js');
  const { bytes, last } = chain(tasks);
  const session = await Session.fromGraphDef(await bytes(GraphDefSchema), { exact: true, ...options });
  return { session, last };
}

/** Medians in microseconds of calls that take turns, each for a tenth of a second and twice at least. */
async function compare(rounds, calls) {
  const times = Object.fromEntries(Object.keys(calls).map((name) => [name, []]));
  for (const call of Object.values(calls)) for (let i = 0; i < 5; i++) await call();
  for (let round = 0; round < rounds; round++) {
    for (const [name, call] of Object.entries(calls)) {
      const own = [];
      const end = performance.now() + 100;
      while (performance.now() < end || own.length < 2) {
        const from = performance.now();
        await call();
        own.push((performance.now() - from) * 1000);
      }
      times[name].push(median(own));
    }
  }
  return Object.fromEntries(Object.entries(times).map(([name, all]) => [name, median(all)]));
}

async function oneRun(cluster, rounds) {
  const here = await open([undefined], {});
  const there = await open([0], { target: '/job:worker/task:0', cluster });
  const x = Tensor.from(new Float32Array(8), [8]);
  const times = await compare(rounds, {
    here: () => here.session.run(here.last, { x }),
    there: () => there.session.run(there.last, { x }),
  });
  console.log(`A run of two small ops: here ${us(times.here)}, on a worker ${us(times.there)}`);
  await Promise.all([here.session.close(), there.session.close()]);
}

async function byTasks(cluster, rounds) {
  console.log('\nThe same with a tensor that passes tasks one after the other, and comes back to the first:');
  console.log('tensor      1 task   2 tasks   3 tasks   a crossing more   there and back with 1');
  const options = { target: '/job:worker/task:0', cluster };
  const all = await Promise.all([[0], [0, 1], [0, 1, 2]].map((tasks) => open(tasks, options)));
  for (const size of SIZES) {
    const x = Tensor.from(new Float32Array(size / 4), [size / 4]);
    const calls = Object.fromEntries(
      all.map(({ session, last }, i) => [i + 1, () => session.run(last, { x })]),
    );
    const times = await compare(rounds, calls);
    // Over two tasks there are two crossings, over three there are three.
    const more = times[3] - times[2];
    const row = [bytesOf(size), us(times[1]), us(times[2]), us(times[3]), us(more)];
    console.log(
      `${row[0].padEnd(10)}${row
        .slice(1, 4)
        .map((text) => text.padStart(9))
        .join(' ')}${row[4].padStart(18)}${rate(size, times[1]).padStart(24)}`,
    );
  }
  await Promise.all(all.map(({ session }) => session.close()));
}

async function star(cluster, rounds) {
  console.log('\nA small op on each of so many tasks, added up on the first:');
  const counts = [1, 2, 4, 8, 16, 32].filter((count) => count <= cluster.worker.length);
  const options = { target: '/job:worker/task:0', cluster };
  const sessions = await Promise.all(
    counts.map(async (count) => Session.fromGraphDef(await starOf(count), { exact: true, ...options })),
  );
  const x = Tensor.from(new Float32Array(8), [8]);
  const calls = counts.map((count, i) => [`${count} tasks`, () => sessions[i].run('sum', { x })]);
  const times = await compare(rounds, Object.fromEntries(calls));
  console.log(
    Object.entries(times)
      .map(([name, time]) => `${name} ${us(time)}`)
      .join(', '),
  );
  await Promise.all(sessions.map((session) => session.close()));
}

async function starOf(count) {
  const T = { value: { case: 'type', value: FLOAT } };
  const ops = Array.from({ length: count }, (_, task) => ({
    name: `y${task}`,
    op: 'Neg',
    input: ['x'],
    device: `/job:worker/task:${task}/device:CPU:0`,
    attr: { T },
  }));
  const N = { value: { case: 'i', value: BigInt(count) } };
  const input = ops.map(({ name }) => name);
  const sum = { name: 'sum', op: 'AddN', input, device: ops[0].device, attr: { T, N } };
  const node = [{ name: 'x', op: 'Placeholder', attr: { dtype: T } }, ...ops, sum];
  const { GraphDefSchema } = await fromDist('proto/tensorflow/core/framework/graph_pb.js');
  return toBinary(GraphDefSchema, create(GraphDefSchema, { node }));
}

async function onTheWire() {
  console.log('\nBytes on the wire in a run, counted by sockets between them (chain over two tasks):');
  console.log(
    'tensor        client -> 0   0 -> client        0 -> 1        1 -> 0   the same as parts of the tensor',
  );
  const ports = await freePorts(2);
  const addresses = ports.map((port) => `127.0.0.1:${port}`);
  // Who needs a tensor asks for it: it comes back on the connection of the asking task.
  const [front, first, second] = await Promise.all([ports[0], ports[0], ports[1]].map(count));
  const servers = await Promise.all([
    start({ worker: [addresses[0], `127.0.0.1:${second.port}`] }, 0),
    start({ worker: [`127.0.0.1:${first.port}`, addresses[1]] }, 1),
  ]);
  const { session, last } = await open([0, 1], { target: `grpc://127.0.0.1:${front.port}` });
  const RUNS = 20;
  for (const size of SIZES) {
    const x = Tensor.from(new Float32Array(size / 4), [size / 4]);
    for (let i = 0; i < 3; i++) await session.run(last, { x });
    for (const each of [front, first, second]) each.reset();
    for (let i = 0; i < RUNS; i++) await session.run(last, { x });
    const sums = [front.to(), front.back(), first.back() + second.to(), second.back() + first.to()];
    const own = sums.map((sum) => sum / RUNS);
    console.log(
      `${bytesOf(size).padEnd(10)}${own.map((bytes) => `${Math.round(bytes)}`.padStart(14)).join('')}   ${own
        .map((bytes) => (bytes / size).toFixed(3))
        .join(', ')}`,
    );
  }
  await session.close();
  await Promise.all(servers.map((server) => server.close()));
  for (const each of [front, first, second]) each.close();
}

/** A socket that passes all on to a port, and counts it. */
async function count(port) {
  let [to, back] = [0, 0];
  const open = new Set();
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    for (const socket of [near, far]) {
      open.add(socket);
      socket.setNoDelay(true).on('error', () => {});
    }
    near.on('data', (data) => {
      to += data.length;
      far.write(data);
    });
    far.on('data', (data) => {
      back += data.length;
      near.write(data);
    });
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: server.address().port,
    to: () => to,
    back: () => back,
    reset: () => {
      [to, back] = [0, 0];
    },
    close: () => {
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
}

async function spread(cluster, servers, rounds, seconds) {
  const folder = await resnet50();
  const pinned = servers.slice(0, 2).every(({ pid }, core) => pin(pid, core));
  const names = [0, 1].map((task) => `/job:worker/task:${task}`);
  const load = (replicas) => SavedModel.load(folder, { cluster, replicas, freeze: true });
  const [one, two] = [await load(names.slice(0, 1)), await load(names)];
  const [[key, { shape }]] = Object.entries(one.signatures.serving_default.inputs);
  const dims = shape.map((size) => Math.max(size, 1));
  const x = Tensor.from(new Float32Array(dims.reduce((a, b) => a * b, 1)), dims);
  const perSecond = { 1: [], 2: [] };
  // Each graph is prepared by its first run.
  for (const model of [one, two]) await throughput(model, { [key]: x }, 1);
  for (let round = 0; round < rounds; round++) {
    for (const [count, model] of Object.entries({ 1: one, 2: two })) {
      perSecond[count].push(await throughput(model, { [key]: x }, seconds));
    }
  }
  const [single, both] = [median(perSecond[1]), median(perSecond[2])];
  const ratio = median(perSecond[1].map((value, i) => perSecond[2][i] / value));
  console.log(
    `\nResNet50, frozen, ${IN_FLIGHT} runs in flight, ${pinned ? 'a core a worker' : 'workers not pinned (no taskset)'}: ` +
      `1 worker ${single.toFixed(1)} runs a second, 2 workers ${both.toFixed(1)}, median ratio of ${rounds} rounds ${ratio.toFixed(2)} ` +
      `(${perSecond[1].map((value, i) => (perSecond[2][i] / value).toFixed(2)).join(', ')})`,
  );
  await Promise.all([one.close(), two.close()]);
}

/** Every thread of a process on one core. */
function pin(pid, core) {
  try {
    execFileSync('taskset', ['-acp', String(core), String(pid)], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function throughput(model, inputs, seconds) {
  let runs = 0;
  const from = performance.now();
  const end = from + seconds * 1000;
  const caller = async () => {
    while (performance.now() < end) {
      await model.run(inputs);
      runs++;
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, caller));
  return (1000 * runs) / (performance.now() - from);
}

function us(value) {
  return value < 1000 ? `${value.toFixed(0)} us` : `${(value / 1000).toFixed(2)} ms`;
}

function bytesOf(size) {
  return size < 1 << 20 ? `${size >> 10} KiB` : `${size >> 20} MiB`;
}

function rate(size, microseconds) {
  return `${((2 * size) / microseconds / 1000).toFixed(2)} GB/s`;
}
