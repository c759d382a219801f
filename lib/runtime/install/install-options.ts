import { didYouMean, TensorFlowError } from '../../errors.js';
import type { Variant } from '../cache.js';
import { DEFAULT_VERSION, isVersion } from '../version.js';
import type { InstallProgress } from './types.js';

export interface InstallOptions {
  /** TensorFlow's version, `X.Y.Z`. Defaults to DEFAULT_VERSION; with `from`, to what the source tells. */
  version?: string;
  /**
   * `'gpu'` for the GPU build with the CUDA libraries that it needs (Linux x64; some 3.4 GB to fetch, 5.4 GB on the
   * disk). Only the driver has to be on the system; where there is none it runs on the CPU. Defaults to `'cpu'`; with
   * `from`, to whatever build the source holds, CUDA not added.
   */
  variant?: Variant;
  /**
   * Take this instead of fetching: a wheel, an official C archive, a folder that holds either's contents, a folder of
   * wheels, a library.
   */
  from?: string;
  onProgress?: (progress: InstallProgress) => void;
  /** Given a sentence that is no error and worth showing: how much will be fetched, that there is no pinned checksum. */
  onNote?: (text: string) => void;
  /** Install again over what is there. Defaults to false. */
  force?: boolean;
  /** Ends the install, and removes what it has made; the promise rejects with the signal's reason. */
  signal?: AbortSignal;
}

const OPTIONS = ['version', 'variant', 'from', 'onProgress', 'onNote', 'force', 'signal'];

/** Throws INVALID_OPTION. */
export function checkOptions(options: InstallOptions): void {
  for (const key of Object.keys(options)) {
    if (OPTIONS.includes(key)) continue;
    throw new TensorFlowError(
      'INVALID_OPTION',
      `install has no option ${JSON.stringify(key)}.${didYouMean(key, OPTIONS)}`,
    );
  }
  const { version, from, variant } = options;
  if (version !== undefined && (typeof version !== 'string' || !isVersion(version))) {
    throw new TensorFlowError(
      'INVALID_OPTION',
      `The TensorFlow version ${JSON.stringify(version)} is none: it looks like ${DEFAULT_VERSION}.`,
    );
  }
  if (variant !== undefined && variant !== 'cpu' && variant !== 'gpu') {
    throw new TensorFlowError(
      'INVALID_OPTION',
      `The option \`variant\` is 'cpu' or 'gpu', not ${JSON.stringify(variant)}.`,
    );
  }
  if (from !== undefined && (typeof from !== 'string' || from === '')) {
    throw new TensorFlowError('INVALID_OPTION', 'The option `from` is the path of a file or a folder.');
  }
}
