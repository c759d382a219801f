// Each CUDA library that lies beside TensorFlow is opened by its path, in a process of its own. Needs no GPU: only those that
// want the driver may fail, and only where there is none.
import { cudaLibraries, openLibrary } from '../rig/cuda-libraries.mjs';
import { expectation } from '../rig/seen.mjs';

export const title = 'every CUDA library beside TensorFlow opens';
export const needs = ['gpu-library'];

export async function see({ library }) {
  const files = await cudaLibraries(library);
  const opened = [];
  for (const { name, path } of files) opened.push({ name, result: await openLibrary(path) });
  const driver = await openLibrary('libcuda.so.1');
  return { hasDriver: driver === 'opens', opened };
}

export function judge({ hasDriver, opened }) {
  const failed = opened.filter(({ result }) => result !== 'opens' && result !== 'wants the driver');
  const wanting = opened.filter(({ result }) => result === 'wants the driver');
  return [
    expectation('there are some', `${opened.length} files`, opened.length > 0),
    expectation(
      'each opens, or lacks the driver alone',
      failed.map(({ name, result }) => `${name}: ${result}`).join('; ') ||
        `${opened.length - wanting.length} open`,
      failed.length === 0 && opened.every(({ name }) => typeof name === 'string'),
    ),
    expectation(
      'none lacks the driver where there is one',
      `${hasDriver ? 'with' : 'without'} a driver, wanting it: ${wanting.map(({ name }) => name).join(', ') || 'none'}`,
      hasDriver === false || (hasDriver === true && wanting.length === 0),
    ),
  ];
}
