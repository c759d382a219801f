// The loop around what a program measures.
import { readFileSync } from 'node:fs';

/** Runs for a while, first unmeasured. `once` is one run; `counts` how many it stands for. */
export async function measure(once, seconds, { isSync = false, counts = 1 } = {}) {
  const times = [];
  const loop = async (milliseconds, note) => {
    const end = performance.now() + milliseconds;
    let runs = 0;
    while (runs < 5 || performance.now() < end) {
      const start = performance.now();
      if (isSync) once();
      else await once();
      runs++;
      if (note) times.push(((performance.now() - start) * 1000) / counts);
    }
  };
  // Long enough for the choice of an executor, too.
  for (let i = 0; i < 20; i++) await once();
  await loop(seconds * 300, false);
  const cpu = process.cpuUsage();
  const start = performance.now();
  await loop(seconds * 1000, true);
  const wall = (performance.now() - start) * 1000;
  const { user, system } = process.cpuUsage(cpu);
  const sorted = Float64Array.from(times).sort();
  return {
    medianUs: sorted[sorted.length >> 1],
    p99Us: sorted[Math.floor(sorted.length * 0.99)],
    perSecond: (times.length * counts * 1e6) / wall,
    runs: times.length,
    cpuPerWall: (user + system) / wall,
  };
}

/** The largest resident memory of this process so far. */
export function peakKb() {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
}

/** The values that all programs feed. */
export function values(shape, dtype) {
  const count = shape.reduce((product, size) => product * size, 1);
  return dtype === 'string'
    ? Array.from({ length: count }, (_, i) => `sentence number ${i} of the batch`)
    : Float32Array.from({ length: count }, (_, i) => ((i * 7919) % 1000) / 1000);
}
