// What a report says of the machine, the card and the library, and what decides which checks can be run.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { cpus, release, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { modelFolder } from './context.mjs';
import { cudaLibraries } from './cuda-libraries.mjs';
import { attempt, cards, cudaVersion, findSmi } from './nvidia-smi.mjs';

/** @param {import('./kit.mjs').Kit} found */
export async function lookAround(found) {
  const smi = findSmi();
  const { library, devices = [], failure, why } = libraryInfo(found.library);
  const gpus = devices.filter(({ type }) => type === 'GPU');
  return {
    date: new Date().toISOString(),
    smi,
    cards: (smi && attempt(() => cards(smi))) ?? [],
    cuda: smi && cudaVersion(smi),
    library,
    failure,
    hasCuda: library !== undefined && (await cudaLibraries(library.path)).length > 0,
    gpus,
    whyNoGpu:
      gpus.length > 0 ? undefined : (why ?? failure ?? 'TensorFlow lists none, and does not say why.'),
    basicPitch: modelFolder(found, 'basic-pitch'),
    isBundle: found.isBundle,
    made: found.made,
    tfSession: createRequire(import.meta.url)('tf-session/package.json').version,
    node: process.version,
    glibc: process.report.getReport().header.glibcVersionRuntime,
    kernel: release(),
    cpu: `${cpus().length} x ${cpus()[0]?.model}`,
    memoryGB: Math.round(totalmem() / 1e9),
    PATH: process.env.PATH ?? '',
    CUDA_VISIBLE_DEVICES: process.env.CUDA_VISIBLE_DEVICES,
  };
}

/** What `tf-session info` says, by the package's own command: devices, and why there is no GPU. */
function libraryInfo(library) {
  const json = info(library, '--json');
  if (json.status !== 0)
    return { failure: json.signal ?? (json.stderr.trim().slice(-1500) || `status ${json.status}`) };
  const found = JSON.parse(json.stdout);
  if (found.devices.some(({ type }) => type === 'GPU')) return found;
  const [, why] = /^No GPU device:\n([\s\S]*)/m.exec(info(library).stdout) ?? [];
  return { ...found, why: why?.trim().replace(/\s*\n\s*/g, ' ') };
}

function info(library, ...flags) {
  const main = join(dirname(fileURLToPath(import.meta.resolve('tf-session'))), 'cli/main.js');
  const args = [main, 'info', ...flags, ...(library === undefined ? [] : ['--library', library])];
  const env = { TF_CPP_MIN_LOG_LEVEL: '2', ...process.env };
  return spawnSync(process.execPath, args, { encoding: 'utf8', env, timeout: 120_000 });
}

/** Why a need cannot be met; undefined where it is. */
export function lacks(need, facts) {
  switch (need) {
    case 'gpu':
      return facts.gpus.length > 0 ? undefined : 'a GPU';
    case 'nvidia-smi':
      if (facts.cards.length === 0) return 'nvidia-smi';
      return facts.cards.every(({ totalMiB, usedMiB }) => Number.isFinite(totalMiB + usedMiB))
        ? undefined
        : 'an nvidia-smi that tells the memory in use';
    case 'gpu-library':
      return facts.hasCuda ? undefined : 'a GPU build of TensorFlow with CUDA beside it';
    case 'basic-pitch':
      return facts.basicPitch === undefined ? 'the model basic-pitch' : undefined;
    default:
      throw new Error(`No check can need ${need}.`);
  }
}
