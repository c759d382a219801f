// onnxruntime-node. Argument: JSON of { module, file, shape, seconds }.
import { createRequire } from 'node:module';
import { measure, peakKb, values } from './timing.mjs';

const { module, file, shape, seconds } = JSON.parse(process.argv[2]);
const ort = createRequire(import.meta.url)(module);
const start = performance.now();
const session = await ort.InferenceSession.create(file);
const loadMs = performance.now() - start;
const feeds = { [session.inputNames[0]]: new ort.Tensor('float32', values(shape), shape) };
const figures = await measure(() => session.run(feeds), seconds);
console.log(JSON.stringify({ ...figures, loadMs, peakKb: peakKb() }));
process.exit();
