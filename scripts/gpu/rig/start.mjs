// Starts a check, or a part of one, in a process of its own, and takes what it saw.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const CHILD = fileURLToPath(new URL('child.mjs', import.meta.url));
/** In front of the line of JSON: TensorFlow writes to stdout, too. */
export const MARK = 'seen ';
const KEPT = 1500;
/** What a user or an image has set for other programs would change what is looked at. */
const UNSET = Object.fromEntries(
  [
    ...['TF_FORCE_GPU_ALLOW_GROWTH', 'TF_GPU_ALLOCATOR', 'TF_DEVICE_MIN_SYS_MEMORY_IN_MB'],
    ...['TF_PER_DEVICE_MEMORY_LIMIT_MB', 'TF_XLA_FLAGS', 'NVIDIA_TF32_OVERRIDE'],
  ].map((name) => [name, undefined]),
);

/**
 * @param {{ name: string, part?: string, data?: unknown, library?: string, rehearse: boolean, quick: boolean, smi?: string, seconds: number }} given
 * @param {{ seconds: number, env?: Record<string, string> }} options
 * @returns {Promise<{ seen?: unknown, failure?: string, seconds: number }>}
 */
export function runChild(given, { seconds, env }) {
  const began = performance.now();
  const child = spawn(process.execPath, [CHILD, JSON.stringify(given)], {
    env: {
      TF_CPP_MIN_LOG_LEVEL: '2',
      // Of several cards the first is then nvidia-smi's first, too.
      CUDA_DEVICE_ORDER: 'PCI_BUS_ID',
      ...process.env,
      ...UNSET,
      ...(given.library !== undefined && { TF_SESSION_LIBRARY: given.library }),
      ...env,
    },
    // Nothing is written to stdin: its end tells that this process is gone.
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let [stdout, stderr, isLate] = ['', '', false];
  const timer = setTimeout(() => {
    isLate = true;
    child.kill('SIGKILL');
  }, seconds * 1000);
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr = (stderr + text).slice(-4 * KEPT);
  });
  return new Promise((resolve) => {
    child.on('error', ({ message }) => resolve({ failure: message, seconds: 0 }));
    child.on('close', (status, signal) => {
      clearTimeout(timer);
      resolve({
        ...resultOf({ stdout, stderr, status, signal, isLate, seconds }),
        seconds: (performance.now() - began) / 1000,
      });
    });
  });
}

/** Also of what the process printed before it died: an end by a signal is a failure whatever it saw. */
export function resultOf({ stdout, stderr, status, signal, isLate, seconds }) {
  const tail = stderr.trim().slice(-KEPT);
  const because = (text) => ({ failure: tail === '' ? text : `${text}\n${tail}` });
  if (isLate) return because(`it had not ended after ${Math.round(seconds)} s`);
  if (signal !== null) return because(`the process was ended by ${signal}`);
  if (status !== 0) return because(`the process ended with status ${status}`);
  const line = stdout.split('\n').findLast((each) => each.startsWith(MARK));
  if (line === undefined) return because('the process said nothing of what it saw');
  return { seen: JSON.parse(line.slice(MARK.length)) };
}
