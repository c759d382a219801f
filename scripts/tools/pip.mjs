// Python's pip, with which models and tools are fetched, so that the user's index, proxy and certificates hold.
import { spawn } from 'node:child_process';
import { Failure } from './failure.mjs';

const PYTHON = 'python3';

/**
 * Runs `python3 -m pip`; nothing is shown unless it fails.
 *
 * @param {string[]} args
 * @param {string} what What is fetched, for messages.
 * @returns {Promise<void>}
 */
export async function pip(args, what) {
  const quiet = ['--no-input', '--disable-pip-version-check', '--progress-bar=off'];
  const { status, output } = await runPython(['-m', 'pip', ...args, ...quiet], what);
  if (status === 0) return;
  if (/No module named '?pip\b/.test(output)) {
    throw new Failure(
      `${PYTHON} has no pip, with which ${what} is fetched. Install it (\`${PYTHON} -m ensurepip\`, or the ` +
        "system's package python3-pip) and run the same command again.",
    );
  }
  const lines = output.split(/[\r\n]+/).filter((line) => line.trim() !== '');
  throw new Failure(
    `pip could not fetch ${what} (exit status ${status}). Its last lines:\n` +
      `${lines.slice(-6).join('\n')}\n` +
      `Look at the network, the proxy and pip's settings (\`${PYTHON} -m pip config list\`), and run the same ` +
      'command again.',
  );
}

function runPython(args, what) {
  return new Promise((resolve, reject) => {
    // Modules in the working directory don't count.
    const env = { ...process.env, PYTHONSAFEPATH: '1', PYTHONIOENCODING: 'utf-8' };
    const child = spawn(PYTHON, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const collect = (text) => {
      output = (output + text).slice(-100_000);
    };
    child.stdout.setEncoding('utf8').on('data', collect);
    child.stderr.setEncoding('utf8').on('data', collect);
    child.on('error', (error) => {
      const reason = error.code === 'ENOENT' ? 'was not found' : `could not be started (${error.code})`;
      reject(
        new Failure(
          `${PYTHON} ${reason}: ${what} is fetched with Python's pip. Install Python 3 with pip, and run the same ` +
            'command again.',
        ),
      );
    });
    child.on('close', (status) => resolve({ status, output }));
  });
}
