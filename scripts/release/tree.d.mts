export function checkTree(root: string, version: string): Promise<void>;
export function restoring<T>(
  files: readonly string[],
  work: () => Promise<T>,
  options?: { keep?: boolean },
): Promise<T>;
