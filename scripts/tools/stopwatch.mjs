// Times for people to read.
import { performance } from 'node:perf_hooks';

const TICK_MS = 5;

/** Milliseconds between calls of `lap`, by what was done. */
export function stopwatch() {
  /** @type {Map<string, number[]>} */
  const laps = new Map();
  let last = performance.now();
  const lap = (what) => {
    const now = performance.now();
    laps.set(what, [...(laps.get(what) ?? []), now - last]);
    last = now;
  };
  return { laps, lap };
}

/** Watches how late a timer comes. The returned function ends that and gives the longest delay in milliseconds. */
export function watchEventLoop() {
  let longest = 0;
  let last = performance.now();
  const tick = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last - TICK_MS);
    last = now;
  };
  const timer = setInterval(tick, TICK_MS);
  timer.unref(); // a program that fails meanwhile ends
  return async () => {
    // One turn more, or a delay that lasts until now would not be seen.
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    clearInterval(timer);
    tick();
    return longest;
  };
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
