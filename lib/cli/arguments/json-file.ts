import { readFile } from 'node:fs/promises';
import { UsageError } from './usage-error.js';

/** The JSON in a file that an option names. `option` is what messages call it: `--config`. */
export async function readJsonFile(path: string, option: string): Promise<unknown> {
  const bytes = await readOptionFile(path, option);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new UsageError(`${option}: ${path} is not JSON: ${(error as Error).message}`, { cause: error });
  }
}

/** The same, where an object is wanted. */
export async function readJsonObject(path: string, option: string): Promise<Record<string, unknown>> {
  const value = await readJsonFile(path, option);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new UsageError(`${option}: ${path} holds no JSON object.`);
}

/** The bytes of a file that an option names. */
export async function readOptionFile(path: string, option: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reasons: Record<string, string> = {
      ENOENT: 'does not exist',
      EISDIR: 'is a directory',
      EACCES: 'may not be read by this user',
      ERR_FS_FILE_TOO_LARGE: 'is larger than 2 GiB, the most that is read here',
    };
    throw new UsageError(`${option}: ${path} ${reasons[code ?? ''] ?? `cannot be read: ${message}`}.`, {
      cause: error,
    });
  }
}
