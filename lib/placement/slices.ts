/** Long work on the JS thread, cut into slices between which the event loop gets a turn. */
import { setImmediate } from 'node:timers/promises';

/** Milliseconds of a slice. */
const SLICE = 2;
/** Steps between two looks at the clock. */
const STEPS = 256;

export class Slices {
  #end = performance.now() + SLICE;

  /** Whether it is time for `next()`, asked at every step. */
  isOver(step: number): boolean {
    return step % STEPS === 0 && performance.now() >= this.#end;
  }

  /** Gives the event loop its turn. */
  async next(): Promise<void> {
    await setImmediate();
    this.#end = performance.now() + SLICE;
  }
}
