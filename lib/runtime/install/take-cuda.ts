/** Puts the CUDA libraries beside a GPU build of TensorFlow, so that it finds them with nothing set and none on the system. */
import { rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { TensorFlowError } from '../../errors.js';
import type { InstalledFile, InstallRecord } from '../cache.js';
import { measureStep } from './bytes.js';
import { linkForLoader } from './cuda-links.js';
import { projectOf, shortName, unpackCudaWheel } from './cuda-wheels.js';
import { requireKnown } from './known.js';
import { downloadWheel } from './pip.js';
import type { StepContext } from './types.js';
import { wheelOf } from './wheel-folder.js';

/** What was put there. */
export interface TakenCuda {
  packages: NonNullable<InstallRecord['cuda']>;
  files: InstalledFile[];
}

/**
 * Fetches each package, unpacks it into `made` and lets go of it before the next one: all of them at once would take 3 GB
 * more.
 *
 * @param requirements As TensorFlow's wheel names them.
 * @param opener The library that opens them, below `made`.
 * @param wheels A folder in which they are looked for first; `undefined` to fetch all.
 */
export async function takeCuda(
  requirements: readonly string[],
  opener: string,
  wheels: string | undefined,
  made: string,
  staging: string,
  context: StepContext,
): Promise<TakenCuda> {
  // Before several GB are fetched in vain.
  if ((await linkForLoader(made, opener, [])) === undefined) throw looksElsewhere(opener);
  const packages: TakenCuda['packages'] = [];
  const files: InstalledFile[] = [];
  for (const [index, requirement] of requirements.entries()) {
    const project = projectOf(requirement);
    const own = wheels === undefined ? undefined : await wheelOf(wheels, project);
    const step = `Downloading ${shortName(project)} (${index + 1} of ${requirements.length})`;
    const request = { requirement, machine: 'x86_64', total: undefined, step };
    const wheel = own ?? (await downloadWheel(request, staging, context));
    const { bytes, sha256 } = await measureStep(wheel, context);
    requireKnown(wheel, { bytes, sha256 });
    files.push(...(await unpackCudaWheel(wheel, made, context)));
    packages.push({ name: basename(wheel), bytes, sha256 });
    if (own === undefined) await rm(dirname(dirname(wheel)), { recursive: true, force: true });
  }
  const links = (await linkForLoader(made, opener, files)) ?? [];
  return { packages, files: [...files, ...links] };
}

function looksElsewhere(opener: string): TensorFlowError {
  return new TensorFlowError(
    'FAILED_PRECONDITION',
    `This TensorFlow does not look for CUDA beside itself: its ${basename(opener)} names no folder of nvidia/. ` +
      'Take a later version, or leave --gpu out, install CUDA on the system and name its folder in LD_LIBRARY_PATH.',
  );
}
