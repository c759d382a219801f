// Servers of a program's own, and ends of the program while runs are under way on them.
import { spawn } from 'node:child_process';
import { Worker } from 'node:worker_threads';
import { startServer } from '../../../dist/index.js';
import { freePorts } from '../../../scripts/tools/free-ports.mjs';
import { load, ready, sleep } from './common.mjs';

const OPTIONS = { listenOnAllInterfaces: true };

async function start() {
  const cluster = { worker: [`127.0.0.1:${(await freePorts(1))[0]}`] };
  return { cluster, server: await startServer({ cluster, job: 'worker', task: 0, ...OPTIONS }) };
}

function put(server, state) {
  if (state === 'dead') process.kill(server.pid, 'SIGKILL');
  if (state !== 'frozen') return;
  process.kill(server.pid, 'SIGSTOP');
  // What stands still hears of nobody's end.
  const program = `sleep 5; kill -KILL ${server.pid}`;
  spawn('sh', ['-c', program], { detached: true, stdio: 'ignore' }).unref();
}

/** A model with an endless run under way on a server that is as it is said to be. */
async function busy(state) {
  const { server } = await start();
  const model = await load('endless', { target: server.target });
  await model.run({ n: 3 });
  const running = model.run({ n: -1 });
  running.catch(() => {});
  await sleep(100);
  put(server, state);
  return { server, model, running };
}

const cases = {
  /** The lowest and the highest that one can do. */
  async server() {
    const { cluster, server } = await start();
    const model = await load('tf2-functions', { target: server.target });
    const { y } = await model.run({ x: [[0, 1, 2, 3, 4, 5, 6, 7]] });
    await model.close();
    const taken = await startServer({ cluster, job: 'worker', task: 0, ...OPTIONS }).catch((error) => error);
    await server.close();
    await server.close();
    console.log(y.shape.join(), taken.code, JSON.stringify(await server.ended));
  },

  async any() {
    const server = await startServer({
      cluster: { worker: ['localhost:0'] },
      job: 'worker',
      task: 0,
      ...OPTIONS,
    });
    const model = await load('tf2-functions', { target: server.target });
    await model.run({ x: [[0, 1, 2, 3, 4, 5, 6, 7]] });
    await model.close();
    console.log(/^grpc:\/\/localhost:[1-9]\d+$/.test(server.target), server.unref() === server);
  },

  async warning() {
    process.on('warning', ({ code, message }) => console.log(code, message.includes('every interface')));
    const cluster = { worker: [`127.0.0.1:${(await freePorts(1))[0]}`] };
    await (await startServer({ cluster, job: 'worker', task: 0 })).close();
  },

  /** Prints the server's pid, and waits to be killed. */
  async parent() {
    const { server } = await start();
    console.log(server.pid);
    ready();
    await sleep(60_000);
  },

  async exit(state) {
    await busy(state);
    ready();
    process.exit(7);
  },

  async uncaught(state) {
    await busy(state);
    ready();
    throw new Error('thrown by the test');
  },

  /** A lost run is rejected, and nothing is left to wait for. */
  async natural(state) {
    const { server, model, running } = await busy(state);
    ready();
    const closing = state === 'dead' ? running.catch(() => model.close()) : model.close({ cancel: true });
    const { code } = await running.catch((error) => error);
    await closing;
    server.unref();
    console.log(code);
  },

  /** A thread is terminated in mid-run; the process goes on. */
  async thread(state) {
    const { server } = await start();
    const program = `
      import { SavedModel, Tensor } from '${new URL('../../../dist/index.js', import.meta.url)}';
      import { parentPort } from 'node:worker_threads';
      const model = await SavedModel.load(new URL('${new URL('../../fixtures/endless/saved_model', import.meta.url)}'), { target: '${server.target}' });
      const run = model.run({ n: Tensor.from([-1], [], 'int32') });
      run.catch(() => {});
      setTimeout(() => parentPort.postMessage('running'), 100);
      await run;`;
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(program)}`));
    await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    put(server, state);
    ready();
    await worker.terminate();
    server.unref();
    console.log('terminated');
  },
};

await cases[process.argv[2]](process.argv[3]);
