// Imports the package from the folder that is named, and says how it fails where it needs the addon.
import { pathToFileURL } from 'node:url';

const { SavedModel, Tensor, TensorFlowError, tensorflow } = await import(pathToFileURL(process.argv[2]).href);
const failures = [];
for (const attempt of [
  () => tensorflow.open(),
  () => SavedModel.load(new URL('../../fixtures/slow/saved_model', import.meta.url)),
  () => Tensor.allocate('float32', [2]),
  () => tensorflow.version,
]) {
  try {
    await attempt();
    failures.push('none');
  } catch (error) {
    failures.push({ ours: error instanceof TensorFlowError, code: error.code, message: error.message });
  }
}
const { shape } = Tensor.from([[1, 2]]);
console.log(JSON.stringify({ failures, shape }));
