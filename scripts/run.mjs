// Runs a program for the other scripts, its output on this terminal, or kept and shown only when it fails.
import { spawn } from 'node:child_process';

/**
 * Resolves when the program ended with status 0; otherwise ends this script with its status.
 *
 * @param {string} program
 * @param {string[]} args
 * @param {{ cwd?: string, quiet?: boolean, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<void>}
 */
export function run(program, args, { cwd, quiet = false, env = process.env } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd,
      env,
      stdio: ['ignore', quiet ? 'pipe' : 'inherit', quiet ? 'pipe' : 'inherit'],
    });
    const output = [];
    child.stdout?.on('data', (chunk) => output.push(chunk));
    child.stderr?.on('data', (chunk) => output.push(chunk));
    child.on('error', reject);
    child.on('close', (status, signal) => {
      if (status === 0) return resolve();
      process.stderr.write(Buffer.concat(output));
      console.error(`${[program, ...args].join(' ')}: ${signal ?? `exit status ${status}`}`);
      process.exit(status ?? 1);
    });
  });
}
