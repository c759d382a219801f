// A kernel of the op library that is named throws on the thread that runs the session: what is said of it, and whether
// the process lives on.
import { Session } from '../../../dist/index.js';
import { load } from './common.mjs';

// A GraphDef of two nodes: x, a Placeholder of float; y, Throwing of x.
const GRAPH = Buffer.from(process.argv[3], 'base64');

const session = await Session.fromGraphDef(GRAPH, {
  opLibraries: [process.argv[2]],
  // The kernels run on the thread that calls; on one of TensorFlow's own nobody could catch.
  config: { interOpParallelismThreads: -1 },
});
const codes = [];
const attempt = async (run) => {
  try {
    await run();
  } catch (error) {
    codes.push(error.code);
    return error.message;
  }
};
console.log(await attempt(() => session.run('y', { x: 1 })));
await attempt(() => session.run('y', { x: 1 }));
await attempt(() => session.runSync('y', { x: 1 }));
await session.close({ cancel: true });
const model = await load('slow');
const { mean } = await model.run({ n: 4, k: 1 });
await model.close();
console.log(...codes, mean.data[0]);
