// What a check is given: the models, the devices that it is about, the cards' memory, and processes of its own.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Tensor, tensorflow } from 'tf-session';
import { kit } from './kit.mjs';
import { cards, pids, used } from './nvidia-smi.mjs';
import { runChild } from './start.mjs';

/** Models of real size whose values are compared, where they are there. */
const MODELS = ['mlp', 'mobilenet', 'resnet'];
/** With random weights its outputs are the same for every input, to 1e-7. */
const TELLS_LITTLE = 'mobilenet';

/**
 * Without a GPU, in a rehearsal, CPU devices stand in the GPUs' place, and there is nothing that tells of memory.
 *
 * @param {{ name: string, library: string, rehearse: boolean, quick: boolean, smi?: string, seconds: number }} given
 */
export async function makeContext(given) {
  const { name, library, rehearse, quick, smi, seconds } = given;
  const found = await kit(library);
  return {
    kit: found,
    library,
    rehearse,
    quick,
    /** By nvidia-smi, in its order; none where it is not there. */
    cards: smi === undefined ? [] : cards(smi),
    gpu: rehearse ? '/CPU:1' : '/GPU:0',
    cpu: '/CPU:0',
    second: rehearse ? '/CPU:2' : '/GPU:1',
    /** A ConfigProto; what it says of GPUs is `gpuOptions`, else as little memory as will do. */
    config: (more = {}) => ({
      gpuOptions: { allowGrowth: true },
      ...more,
      ...(rehearse && { deviceCount: { CPU: 4, ...more.deviceCount } }),
    }),
    fixture: (fixture) => readFixture(found.root, fixture),
    /** The folder of a model of real size, or undefined. */
    model: (model) => modelFolder(found, model),
    /** Those that are there, a fixture where none is; and what is to be said of the others. */
    subjects: () => subjects(found, quick ? MODELS.filter((each) => each !== TELLS_LITTLE) : MODELS),
    gpus: async (config) => (await tensorflow.devices(config)).filter(({ type }) => type === 'GPU'),
    /** MiB in use of each card. */
    used: () => (smi === undefined ? [0] : used(smi)),
    /** The same, once what ended before has given its memory back. */
    settled: () => settled(() => (smi === undefined ? [0] : used(smi))),
    isListed: () => smi !== undefined && pids(smi).includes(process.pid),
    /** Another part of the same check, in a process of its own. Rejects with what it failed by. */
    async aside(part, options = {}) {
      const { env, data } = options;
      const result = await runChild({ ...given, name, part, data }, { seconds: seconds * 0.8, env });
      if (result.failure !== undefined) throw new Error(`${part}: ${result.failure}`);
      return result.seen;
    },
  };
}

async function readFixture(root, name) {
  const folder = join(root, 'test/fixtures', name);
  const { cases } = JSON.parse(await readFile(join(folder, 'expected.json'), 'utf8'));
  const [first] = cases;
  const tensors = (side) =>
    Object.fromEntries(
      Object.entries(side ?? {}).map(([key, { dtype, shape, data }]) => [
        key,
        Tensor.from(data, shape, dtype),
      ]),
    );
  return {
    folder: join(folder, 'saved_model'),
    signature: first.signature,
    inputs: tensors(first.inputs),
    outputs: tensors(first.outputs),
  };
}

export function modelFolder({ isBundle, models }, name) {
  const places = models === undefined ? [] : [join(models, name)];
  // In a checkout this one is `npm start`'s.
  if (!isBundle && name === 'basic-pitch') {
    const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
    places.push(join(cache, 'tf-session/models/basic-pitch-0.4.0'));
  }
  return places.find((folder) => existsSync(join(folder, 'saved_model.pb')));
}

function subjects(found, names) {
  const all = names.map((name) => ({ name, folder: modelFolder(found, name) }));
  const models = all.filter(({ folder }) => folder !== undefined);
  const skipped = all
    .filter(({ folder }) => folder === undefined)
    .map(({ name }) => `the model ${name} is not there`);
  const fixture = {
    name: 'tf2-functions',
    folder: join(found.root, 'test/fixtures/tf2-functions/saved_model'),
  };
  return { models: models.length > 0 ? models : [fixture], skipped };
}

/** The driver takes a moment to give back what a process had. */
async function settled(read) {
  let last = read();
  for (let i = 0; i < 20; i++) {
    await sleep(250);
    const next = read();
    if (JSON.stringify(next) === JSON.stringify(last)) return next;
    last = next;
  }
  return last;
}
