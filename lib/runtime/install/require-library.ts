import { TensorFlowError } from '../../errors.js';
import type { Variant } from '../cache.js';
import { inspectLibrary, isGpuBuild } from '../shared-library.js';

/** What a usable library tells of itself. */
export interface UsableLibrary {
  needed: string[];
  /** Folders in which it looks, joined by `:`. */
  runpath: string;
  variant: Variant;
}

/** Throws unless the file is a whole shared library for this platform. */
export async function requireLibrary(file: string): Promise<UsableLibrary> {
  const inspection = await inspectLibrary(file);
  if (inspection.fault !== undefined) {
    const advice =
      inspection.code === 'DATA_LOSS' ? 'Fetch it again.' : 'Take a libtensorflow for this platform.';
    throw new TensorFlowError(inspection.code, `${file} ${inspection.fault}. ${advice}`);
  }
  const { needed, runpath } = inspection;
  return { needed, runpath, variant: isGpuBuild(inspection) ? 'gpu' : 'cpu' };
}
