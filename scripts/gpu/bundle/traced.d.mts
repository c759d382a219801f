export interface Traced {
  programs: string[];
  files: string[];
  faults: string[];
}

export const CALLS: string;

export function readTrace(log: string, folders: readonly string[]): Traced;
