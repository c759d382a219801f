// Runs with large outputs and memory of Tensor.allocate, and says on what memory they stand.
import { collect, counts, load, Tensor, tensorflow } from './common.mjs';

const COUNT = 100_000;
const [how] = process.argv.slice(2);
if (how !== 'as-it-is') await tensorflow.open({ externalBuffers: how === 'allowed' });

const model = await load('copies');
const said = {};
for (const isAllocated of [false, true]) {
  const input = isAllocated ? Tensor.allocate('float32', [COUNT]) : Tensor.from(new Float32Array(COUNT));
  input.data.fill(1);
  const running = model.run({ x: input }, { signature: 'plus_one' });
  const isLent = isAllocated && counts().memories > 0;
  if (!isLent) input.data.fill(5); // it was copied at the call
  const { y } = await running;
  await input.released;
  const isRight = y.data.every((value) => value === 2);
  await collect();
  const { tensors, memories } = counts();
  said[isAllocated ? 'allocated' : 'given'] = {
    isLent,
    isRight,
    tensors,
    memories,
    transfer: transfer(y.data),
  };
}
await model.close();
console.log(JSON.stringify(said));

/** Whether a transfer moves the memory; Node 20 copies what it can't move, later ones refuse. */
function transfer(array) {
  try {
    const moved = structuredClone(array, { transfer: [array.buffer] });
    if (!moved.every((value) => value === 2)) return 'lost';
    return array.byteLength === 0 ? 'moved' : 'copied';
  } catch {
    return 'refused';
  }
}
