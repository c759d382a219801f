/** A folder of wheels that somebody has fetched, as `pip download` leaves it. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { TensorFlowError } from '../../errors.js';
import type { Variant } from '../cache.js';
import { compareVersions } from '../version.js';

/** Fields of a wheel's file name. */
const NAME = /^([^-]+)-([^-]+)-(?:\d[^-]*-)?[^-]+-[^-]+-([^-]+)\.whl$/;

/** File names of the wheels in a folder. */
async function wheelsIn(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => NAME.test(name)).sort();
}

/** The wheel of a project for this machine, the newest where there are several; `undefined` where there is none. */
export async function wheelOf(folder: string, project: string): Promise<string | undefined> {
  const wanted = project.toLowerCase().replace(/[-_.]+/g, '_');
  const found = (await wheelsIn(folder)).filter(
    (name) => name.toLowerCase().startsWith(`${wanted}-`) && runsHere(name),
  );
  found.sort((a, b) => compareNumbers(versionOf(a), versionOf(b)));
  const newest = found.at(-1);
  return newest === undefined ? undefined : join(folder, newest);
}

/** TensorFlow's wheel in a folder; `undefined` where the folder holds none, and is no folder of wheels. */
export async function tensorflowWheelIn(
  folder: string,
  variant: Variant,
  version: string | undefined,
): Promise<string | undefined> {
  const all = (await wheelsIn(folder)).filter((name) => /^tensorflow(?:_cpu|_cpu_aws)?-/.test(name));
  if (all.length === 0) return undefined;
  const fit = all.filter((name) => runsHere(name) && (version === undefined || versionOf(name) === version));
  const isGpu = (name: string) => name.startsWith('tensorflow-');
  const found = fit.find((name) => isGpu(name) === (variant === 'gpu')) ?? fit[0];
  const rivals = fit.filter((name) => isGpu(name) === isGpu(found ?? ''));
  if (
    found !== undefined &&
    rivals.every((name) => compareVersions(versionOf(name), versionOf(found)) === 0)
  ) {
    return join(folder, found);
  }
  const why =
    found === undefined ? 'none that was asked for' : 'several versions; say which with --tensorflow X.Y.Z';
  throw new TensorFlowError('INVALID_OPTION', `${folder} holds ${why}: ${all.join(', ')}.`);
}

function versionOf(name: string): string {
  return NAME.exec(name)?.[2] ?? '';
}

function runsHere(name: string): boolean {
  const machine = { x64: 'x86_64', arm64: 'aarch64' }[process.arch as string] ?? process.arch;
  const tags = NAME.exec(name)?.[3] ?? '';
  return tags === 'any' || (tags.includes(machine) && tags.includes(process.platform));
}

/** CUDA's versions have three to five numbers. */
function compareNumbers(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}
