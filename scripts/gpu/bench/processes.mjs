// Measurements in fresh processes: what they print a line each, and how they ended.
import { spawn } from 'node:child_process';

/** Of what a process wrote to stderr, so much is kept. */
const KEPT = 4000;

/**
 * @param {{ env?: Record<string, string | undefined>, seconds: number }} options `seconds`: then it is killed.
 * @returns {Promise<{ stdout: string, lines: object[], failure?: string, isLate: boolean, seconds: number }>} Lines that were printed before a failure count.
 */
export function printed(program, args, { env = {}, seconds }) {
  const start = performance.now();
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      // Of several cards the first is then nvidia-smi's first, too.
      env: { CUDA_DEVICE_ORDER: 'PCI_BUS_ID', ...process.env, TF_CPP_MIN_LOG_LEVEL: '2', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      child.kill('SIGKILL');
    }, seconds * 1000);
    child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (stderr = (stderr + text).slice(-KEPT)));
    const end = (failure) => {
      clearTimeout(timer);
      const took = (performance.now() - start) / 1000;
      resolve({ stdout, lines: linesOf(stdout), failure, isLate, seconds: took });
    };
    child.on('error', (error) => end(error.message));
    child.on('close', (status, signal) => {
      if (isLate) end(`it was at work for more than ${seconds.toFixed(0)} s`);
      else if (status === 0) end(undefined);
      else end(`it ended with ${signal ?? `status ${status}`}: ${lastWords(stderr)}`);
    });
  });
}

/** TensorFlow may print in between. */
function linesOf(stdout) {
  return stdout.split('\n').flatMap((line) => {
    try {
      const value = JSON.parse(line);
      return typeof value === 'object' && value !== null ? [value] : [];
    } catch {
      return [];
    }
  });
}

/** The line that names the error; else the last ones. Node's stack traces say nothing that is asked here. */
export function lastWords(stderr) {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  const named = lines.findLast((line) => /\b[A-Za-z]*Error\b.*: |RESOURCE_EXHAUSTED|\bOOM\b/.test(line));
  return (named ?? lines.slice(-3).join(' ')).trim().slice(0, 1000) || 'it said nothing';
}
