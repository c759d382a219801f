/** TensorFlow by pip: the wheel for this machine, laid out as an installation. */
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DEFAULT_VERSION } from '../version.js';
import { cudaRequirements } from './cuda-wheels.js';
import type { InstallOptions } from './install-options.js';
import { CUDA_WHEELS_BYTES, CUDA_WHEELS_COUNT, expectedBytes } from './known.js';
import { downloadWheel } from './pip.js';
import { ROOM, requireSpace, size } from './space.js';
import { type Taken, takeSource } from './take-source.js';
import type { StepContext } from './types.js';
import { wantedWheel } from './wanted-wheel.js';

/** Says how much there is to fetch, looks whether the disk has room for it, fetches and unpacks. */
export async function fetchTensorFlow(
  { version = DEFAULT_VERSION, variant = 'cpu' }: InstallOptions,
  made: string,
  staging: string,
  context: StepContext,
): Promise<{ taken: Taken; requirements: string[] }> {
  const { project, machine } = wantedWheel(version, variant);
  const total = expectedBytes(project, version, machine);
  if (variant === 'gpu') context.onNote(gpuNote(version, total));
  await requireSpace(staging, 'TensorFlow', ROOM[variant]);
  const requirement = `${project}==${version}`;
  const wheel = await downloadWheel(
    { requirement, version, machine, total, step: 'Downloading' },
    staging,
    context,
  );
  const taken = await takeSource(wheel, 'wheel', made, staging, context);
  taken.source.kind = 'pip';
  const requirements = variant === 'gpu' ? await cudaRequirements(wheel) : [];
  await rm(dirname(dirname(wheel)), { recursive: true, force: true });
  return { taken, requirements };
}

function gpuNote(version: string, total: number | undefined): string {
  const tensorflow = `tensorflow ${version}${total === undefined ? '' : ` (${size(total)})`}`;
  const packages =
    version === DEFAULT_VERSION
      ? `${CUDA_WHEELS_COUNT} CUDA packages (${size(CUDA_WHEELS_BYTES)})`
      : `the CUDA packages that it names, some ${size(CUDA_WHEELS_BYTES)}`;
  return `Fetching ${tensorflow} and ${packages}. Installed they take ${size(ROOM.gpu.after)}.`;
}
