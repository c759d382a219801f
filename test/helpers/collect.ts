/** Makes V8 collect garbage; the tests run with --expose-gc. */
import { setImmediate, setTimeout } from 'node:timers/promises';

/** Collects, and lets finalizers run, until `done` says so; false where it never does. */
export async function collectUntil(done: () => boolean, rounds = 200): Promise<boolean> {
  for (let round = 0; round < rounds; round++) {
    globalThis.gc!();
    // Finalizers run on the event loop; sessions are freed on worker threads.
    await (round < 20 ? setImmediate() : setTimeout(20));
    if (done()) return true;
  }
  return false;
}
