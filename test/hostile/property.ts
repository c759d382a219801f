/** How hostile calls may end, and how many are tried. */
import fc from 'fast-check';
import { expect } from 'vitest';
import { TensorFlowError } from '../../lib/index.js';
import { OWN } from './values.js';

/** Times as many runs: `TF_SESSION_HOSTILE_RUNS=100 npx vitest run test/hostile`. */
const TIMES = Number(process.env.TF_SESSION_HOSTILE_RUNS ?? 1);
/** The same values in every run, unless another seed is given. */
const SEED = Number(process.env.TF_SESSION_HOSTILE_SEED ?? 20_260_101);

/** Node's timer for a test that long runs do not end. */
export const LIMIT_MS = 60_000 * Math.max(TIMES, 1);

/** Tries a property with values made from the seed. */
export async function forAll<T extends [unknown, ...unknown[]]>(
  arbitraries: { [K in keyof T]: fc.Arbitrary<T[K]> },
  runs: number,
  property: (...values: T) => Promise<void> | void,
): Promise<void> {
  const check = fc.asyncProperty(...(arbitraries as [fc.Arbitrary<unknown>]), async (...values) => {
    await property(...(values as unknown as T));
  });
  // What fails is found again by seed and path; values with traps cannot be shown.
  await fc.assert(check, { seed: SEED, numRuns: runs * TIMES, endOnFailure: true });
}

/**
 * How a call ends: `result`, the code of a TensorFlowError, or `own`, where the caller's own getter or proxy has thrown, which is
 * passed on. Throws for any other end.
 */
export async function end(call: () => unknown): Promise<string> {
  let result: unknown;
  try {
    result = await call();
  } catch (error) {
    if (error === OWN) return 'own';
    // What a revoked proxy throws at every touch, and a class as a callback.
    if (error instanceof TypeError && /proxy that has been revoked|^Class constructor/.test(error.message))
      return 'own';
    if (!(error instanceof TensorFlowError)) {
      const text = error instanceof Error ? error.stack : typeof error;
      throw new Error(`It ended in an exception that is none of this library's: ${text}`);
    }
    expect(error.code).toMatch(/^[A-Z_]+$/);
    expect(error.message.length).toBeGreaterThan(0);
    return error.code;
  }
  void result;
  return 'result';
}
