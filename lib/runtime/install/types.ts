import type { InstalledFile, InstallRecord } from '../cache.js';

/** Where an install stands. */
export interface InstallProgress {
  /** What is being done, for people: `Downloading`, `Checking`, `Unpacking`, `Copying`. */
  step: string;
  /** Bytes of this step so far. */
  done: number;
  /** Bytes of this step, where known. */
  total: number | undefined;
}

/** What each step of an install is given. */
export interface StepContext {
  onProgress: (progress: InstallProgress) => void;
  onNote: (text: string) => void;
  signal: AbortSignal | undefined;
}

/** A libtensorflow laid out as an installation, not yet described nor published. */
export interface Unpacked {
  /** The file that is opened, below the installation's folder. */
  library: string;
  /** The library files. */
  files: InstalledFile[];
  /** As the source tells it; `undefined` where it doesn't. */
  version: string | undefined;
  /** Whether the CUDA libraries that lay beside the source were linked in. */
  linksCuda?: boolean;
}

export type Source = InstallRecord['source'];
