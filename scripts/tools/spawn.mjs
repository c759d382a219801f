// Programs whose failure is a result, not the end of the script; run.mjs has the other kind.
import { spawn } from 'node:child_process';

/**
 * @param {string} program
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, capture?: boolean, timeout?: number }} [options]
 *   `capture`: keep the output, show nothing. `timeout` in ms: then it is killed.
 * @returns {Promise<{ status: number, output: string, stdout: string }>} `status` is 1 where a signal ended it; `output`
 *   is stdout and stderr as they came.
 */
export function attempt(program, args, { cwd, env, capture = false, timeout } = {}) {
  return new Promise((resolve, reject) => {
    const out = capture ? 'pipe' : 'inherit';
    const child = spawn(program, args, {
      cwd,
      env,
      stdio: ['ignore', out, out],
      timeout,
      killSignal: 'SIGKILL',
    });
    let output = '';
    let stdout = '';
    child.stdout?.setEncoding('utf8').on('data', (text) => {
      output += text;
      stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text) => (output += text));
    child.on('error', reject);
    child.on('close', (status, signal) => {
      if (signal !== null) console.error(`${program} was ended by ${signal}.`);
      resolve({ status: status ?? 1, output, stdout });
    });
  });
}
