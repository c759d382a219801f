// What the card says while something is measured: how busy it is, and its power. By nvidia-smi, where it is there.
import { spawn } from 'node:child_process';
import { median } from '../../measure/figures.mjs';
import { rows } from '../rig/nvidia-smi.mjs';

const EVERY_MS = 200;

/** `2026/01/31 12:00:00.123`, in local time; its lines may come late. */
export function timeOf(text) {
  return Date.parse(text.replaceAll('/', '-').replace(' ', 'T'));
}

/**
 * @param {string | undefined} smi The program.
 * @param {string} [card] By its UUID or number.
 */
export function startSampler(smi, card = '0') {
  const samples = [];
  if (smi === undefined) return { sampled: () => ({}), stop: () => {} };
  const child = spawn(
    smi,
    [
      `--id=${card}`,
      '--query-gpu=timestamp,utilization.gpu,power.draw',
      '--format=csv,noheader,nounits',
      `--loop-ms=${EVERY_MS}`,
    ],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  // It is a help, no more: without it the columns are empty.
  child.on('error', () => {});
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    for (const [time, busy, watts] of rows(lines.join('\n'))) {
      samples.push({ at: timeOf(time), busy: Number(busy), watts: Number(watts) });
    }
  });
  return {
    /** Medians between two times of the system's clock; nothing where there are none. @param {number} [from] @param {number} [to] */
    sampled(from, to) {
      const within = samples.filter(({ at }) => at >= from && at <= to);
      const of = (key) => within.map((sample) => sample[key]).filter(Number.isFinite);
      return Object.fromEntries(
        ['busy', 'watts'].filter((key) => of(key).length > 0).map((key) => [key, median(of(key))]),
      );
    },
    stop: () => child.kill(),
  };
}
