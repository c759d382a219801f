// What the soak watches of its process: memory, descriptors, threads, handles, the event loop, and how long requests take.
import { readdirSync, readFileSync } from 'node:fs';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { quantile, resident } from '../../measure/figures.mjs';

/** Latencies that are kept of each segment, by chance. */
const KEPT = 20_000;

export class Watch {
  segments = [];
  #delay = monitorEventLoopDelay({ resolution: 5 });

  /** @param random whole numbers below a limit */
  constructor(random) {
    this.random = random;
    this.#delay.enable();
  }

  begin(isCalm) {
    this.#delay.reset();
    this.segments.push({ isCalm, latencies: new Float64Array(KEPT), count: 0, samples: [], loads: 0 });
  }

  get #last() {
    return this.segments.at(-1);
  }

  took(ms) {
    const segment = this.#last;
    if (segment.latencies === undefined) return; // the last segment has ended
    const at = segment.count < KEPT ? segment.count : this.random(segment.count + 1);
    if (at < KEPT) segment.latencies[at] = ms;
    segment.count++;
  }

  loaded() {
    this.#last.loads++;
  }

  sample(runs) {
    globalThis.gc?.();
    this.#last.samples.push({ x: runs, y: resident() });
  }

  end() {
    const segment = this.#last;
    const all = segment.latencies.subarray(0, Math.min(KEPT, segment.count));
    segment.p50 = all.length === 0 ? 0 : quantile(all, 0.5);
    segment.p99 = all.length === 0 ? 0 : quantile(all, 0.99);
    delete segment.latencies;
    segment.lagP99 = this.#delay.percentile(99) / 1e6;
    segment.lagMost = this.#delay.max / 1e6;
    segment.megabytes = resident();
    segment.descriptors = readdirSync('/proc/self/fd').length;
    segment.threads = Number(/^Threads:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
    segment.handles = process.getActiveResourcesInfo().length;
    segment.at = performance.now();
  }

  /**
   * By how many MB resident memory grows with 10,000 runs: least squares over the samples of calm segments, each with a level of
   * its own, so that what loads leave behind does not count. The first segments warm up.
   */
  get perTenThousandRuns() {
    let [over, under] = [0, 0];
    for (const { isCalm, samples } of this.#warm) {
      if (!isCalm || samples.length === 0) continue;
      const mean = (key) => samples.reduce((sum, point) => sum + point[key], 0) / samples.length;
      const [x, y] = [mean('x'), mean('y')];
      for (const point of samples) {
        over += (point.x - x) * (point.y - y);
        under += (point.x - x) ** 2;
      }
    }
    return under === 0 ? 0 : (over / under) * 10_000;
  }

  /** By how many kB it grows with a load, in the segments that load. */
  get kilobytesPerLoad() {
    let [growth, loads] = [0, 0];
    for (const segment of this.#warm) {
      if (segment.isCalm || segment.samples.length === 0) continue;
      growth += segment.samples.at(-1).y - segment.samples[0].y;
      loads += segment.loads;
    }
    return loads === 0 ? 0 : (growth * 1024) / loads;
  }

  get #warm() {
    return this.segments.slice(2);
  }
}
