export interface Traced {
  programs: string[];
  files: string[];
  faults: string[];
}

export function readTrace(log: string, folders: readonly string[]): Traced;
