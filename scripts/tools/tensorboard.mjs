// TensorBoard, kept in the user's cache, and started on a port of its own.
import { spawn } from 'node:child_process';
import { dirname } from 'node:path';
import { pipPrograms } from './pip-programs.mjs';

const VERSION = '2.21.0';
/** The first start compiles Python's modules. */
const PATIENCE_MS = 90_000;

/**
 * TensorBoard on a log folder.
 *
 * @param {string} folder
 * @returns {Promise<{ url: string, stop(): void }>}
 */
export async function startTensorBoard(folder) {
  const [program] = await pipPrograms(
    `tensorboard-${VERSION}`,
    `TensorBoard ${VERSION}`,
    [`tensorboard==${VERSION}`, 'setuptools<81'],
    ['tensorboard/main.py'],
  );
  const packages = dirname(dirname(program));
  const args = ['-m', 'tensorboard.main', '--logdir', folder, '--host', '127.0.0.1', '--port', '0'];
  const child = spawn('python3', args, {
    env: { ...process.env, PYTHONPATH: packages, PYTHONSAFEPATH: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stop = () => child.kill('SIGKILL');
  return new Promise((resolve, reject) => {
    let text = '';
    const give = (error) => {
      clearTimeout(timer);
      stop();
      reject(error);
    };
    const timer = setTimeout(() => give(new Error(`TensorBoard did not start:\n${text}`)), PATIENCE_MS);
    const listen = (part) => {
      text += part;
      const url = /http:\/\/[\w.]+:\d+\//.exec(text)?.[0];
      if (url === undefined) return;
      clearTimeout(timer);
      resolve({ url, stop });
    };
    child.stdout.setEncoding('utf8').on('data', listen);
    child.stderr.setEncoding('utf8').on('data', listen);
    child.on('error', give);
    child.on('exit', (status) => give(new Error(`TensorBoard ended with ${status}:\n${text}`)));
  });
}
