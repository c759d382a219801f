// tfjs-node. Argument: JSON of { module, folder, shape, dtype, seconds }.
import { createRequire } from 'node:module';
import { measure, peakKb, values } from './timing.mjs';

const { module, folder, shape, dtype, seconds } = JSON.parse(process.argv[2]);
const tf = createRequire(import.meta.url)(module);
const start = performance.now();
const model = await tf.node.loadSavedModel(folder);
const loadMs = performance.now() - start;
const given = values(shape, dtype);
// A tensor each time: one that was fed before lies in TensorFlow's memory already.
const once = () => {
  const input = tf.tensor(given, shape, dtype);
  const output = model.predict(input);
  output.dataSync();
  input.dispose();
  output.dispose();
};
const figures = await measure(once, seconds, { isSync: true });
console.log(JSON.stringify({ ...figures, loadMs, peakKb: peakKb() }));
process.exit();
