import { TensorFlowError } from '../../errors.js';
import type { Variant } from '../cache.js';
import { gigabytes, ROOM } from './space.js';

/** What the system says about the disk, as an error that tells what to do; any other error as it is. */
export function storageError(error: unknown, cache: string, variant: Variant = 'cpu'): unknown {
  const { code, path, syscall } = error as NodeJS.ErrnoException;
  const moves = `XDG_CACHE_HOME names another folder for the cache, which is ${cache}.`;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new TensorFlowError(
      'RESOURCE_EXHAUSTED',
      `There is no space left for TensorFlow, which takes about ${gigabytes(ROOM[variant].during)} while it is installed ` +
        `and ${gigabytes(ROOM[variant].after)} after. What was begun has been removed. Make room and run the same command again; ${moves}`,
      { cause: error },
    );
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new TensorFlowError(
      'PERMISSION_DENIED',
      `The system does not allow to ${syscall} ${path ?? 'a file'} (${code}). ${moves}`,
      { cause: error },
    );
  }
  if (error instanceof TensorFlowError && error.code === 'RESOURCE_EXHAUSTED') {
    return new TensorFlowError(
      error.code,
      `${error.message} Make room and run the same command again; ${moves}`,
      {
        cause: error,
      },
    );
  }
  return error;
}
