export interface Limits {
  /** The newest version that may be needed, by its kind: GLIBC, GLIBCXX, CXXABI, GCC. */
  newest: Readonly<Record<string, string>>;
  libstdcxx: boolean;
}

export interface Checked {
  file: string;
  machine: string;
  needed: string[];
  exported: string[];
  isKept: boolean;
  versions: Record<string, string>;
  faults: string[];
}

export const PREBUILT: Limits;
export function checkSymbols(file: string, limits?: Limits): Checked;
export function describe(checked: Checked): string;
