/** How much room an install takes, said and looked for before anything is fetched. */
import { statfs } from 'node:fs/promises';
import { TensorFlowError } from '../../errors.js';
import type { Variant } from '../cache.js';

interface Room {
  /** Bytes while it is made: what is there after, and the largest wheel. */
  during: number;
  after: number;
}

/** Of the default version; older ones take less. */
export const ROOM: Record<Variant, Room> = {
  cpu: { during: 1.2e9, after: 0.9e9 },
  gpu: { during: 6.5e9, after: 5.4e9 },
};

/** Of the CUDA libraries alone. */
export const CUDA_ROOM: Room = { during: 5.2e9, after: 4.1e9 };

/** Throws RESOURCE_EXHAUSTED where the disk that holds `folder`, which exists, has less room than `what` needs. */
export async function requireSpace(folder: string, what: string, room: Room): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (free >= room.during) return;
  throw new TensorFlowError(
    'RESOURCE_EXHAUSTED',
    `There is no space for ${what}, with about ${gigabytes(room.during)} while it is installed and ` +
      `${gigabytes(room.after)} after: ${gigabytes(free)} are left.`,
  );
}

/** `5.4 GB`. */
export function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

/** `572 MB`, `2.8 GB`. */
export function size(bytes: number): string {
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(0)} MB` : gigabytes(bytes);
}
