// Sessions that ask for what the process has settled otherwise. Prints each warning's text, then what TensorFlow really has.

import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { Worker } from 'node:worker_threads';
import { encodeConfig } from '../../../dist/config.js';
import { addon } from '../../../dist/runtime/addon.js';
import { load, SavedModel, Session, startServer, tensorflow } from './common.mjs';

process.on('warning', ({ code, name, message }) => {
  if (code === 'TF_SESSION_PROCESS_CONFIG') console.log(name, message.replaceAll(/\/\S*fixtures\//g, ''));
  else console.log('OTHER', message);
});

/** How many threads the process has by this name; those of the intra-op pool keep the program's. */
function threads(name) {
  const names = readdirSync('/proc/self/task').map((task) => {
    try {
      return readFileSync(`/proc/self/task/${task}/comm`, 'utf8').trim();
    } catch {
      return '';
    }
  });
  return names.filter((each) => each === name).length;
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

const [what, ...rest] = process.argv.slice(2);
await tensorflow.open();
const before = threads('node');

function printThreads() {
  console.log('intra', threads('node') - before, 'inter', threads('tf_Compute'));
}

const steps = {
  load: (config, options) => load('chain', { ...options, config }),
  plugin: (path) => addon().loadPluggableDevice(path, []),
  /** Past the checks of this library. */
  unchecked: (config) => addon().listDevices(encodeConfig(config)),
  /** Prints the bytes of each device that is no CPU. */
  async memory(config) {
    const devices = await tensorflow.devices(config);
    await new Promise(setImmediate);
    console.log(...devices.filter(({ type }) => type !== 'CPU').map(({ memoryBytes }) => memoryBytes));
  },
  threads: printThreads,
  devices: (config) => tensorflow.devices(config),
  graph: (config) => Session.fromGraphDef(new Uint8Array(), { config }),
  broken: (config) => SavedModel.load(new URL('../../fixtures/none', import.meta.url), { config }),
  /** On a server, which is a process of its own. */
  async remote(config) {
    const address = `127.0.0.1:${await freePort()}`;
    const server = await startServer({
      cluster: { worker: [address] },
      job: 'worker',
      task: 0,
      listenOnAllInterfaces: true,
    });
    const model = await load('chain', { target: `grpc://${address}`, config });
    await model.close();
    await server.close();
  },
  /** In a worker thread; its warnings are printed by it. */
  worker: (config) =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL(import.meta.url), {
        argv: ['worker', JSON.stringify([['load', config]])],
      });
      worker.once('error', reject);
      worker.once('exit', resolve);
    }),
};

for (const [step, config, options] of JSON.parse(rest[0])) {
  try {
    await steps[step](config, options);
  } catch ({ code, message }) {
    console.log(code, message.replaceAll(/\/\S*fixtures\//g, ''));
  }
  await new Promise(setImmediate);
}
if (what === 'main') printThreads();
