// The loop around what a program measures.
import { readFileSync } from 'node:fs';

/**
 * Runs for a while, first unmeasured. `once` is one run; `counts` how many it stands for. What takes long has a smaller
 * `warmUp` (runs) and `least`; without any warm-up it is measured at once.
 */
export async function measure(once, seconds, { isSync = false, counts = 1, warmUp = 20, least = 5 } = {}) {
  const times = [];
  const loop = async (milliseconds, note) => {
    const end = performance.now() + milliseconds;
    let runs = 0;
    while (runs < least || performance.now() < end) {
      const start = performance.now();
      if (isSync) once();
      else await once();
      runs++;
      if (note) times.push(((performance.now() - start) * 1000) / counts);
    }
  };
  // Long enough for the choice of an executor, too.
  for (let i = 0; i < warmUp; i++) await once();
  if (warmUp > 0) await loop(seconds * 300, false);
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
  if (dtype === 'string') return Array.from({ length: count }, (_, i) => `sentence number ${i} of the batch`);
  // A loop: Float32Array.from takes a second for a large batch of pictures.
  const floats = new Float32Array(count);
  for (let i = 0; i < count; i++) floats[i] = ((i * 7919) % 1000) / 1000;
  return floats;
}
