interface Result {
  seen?: unknown;
  failure?: string;
}
export const MARK: string;
export function resultOf(ended: {
  stdout: string;
  stderr: string;
  status: number | null;
  signal: NodeJS.Signals | null;
  isLate: boolean;
  seconds: number;
}): Result;
