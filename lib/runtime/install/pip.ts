/** Fetches TensorFlow's wheel with the user's own pip, so that their index, proxy and certificates hold. */
import { spawn } from 'node:child_process';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { TensorFlowError } from '../../errors.js';
import { expectedBytes } from './known.js';
import type { StepContext } from './types.js';

/** How often the size of what has come is looked at. pip itself says nothing while it works into a pipe. */
const POLL_MS = 200;

const PYTHON = 'python3';
const PYTHON_VERSION = '311';

/** Which wheel is for this machine. */
interface Wanted {
  /** The project's name: the CPU build has one of its own on x86 only. */
  project: string;
  /** As in platform tags. */
  machine: string;
}

/** Downloads the wheel of a version into `folder` and returns the file. */
export async function downloadWheel(version: string, folder: string, context: StepContext): Promise<string> {
  const wanted = wantedWheel();
  const requirement = `${wanted.project}==${version}`;
  const into = join(folder, 'wheel');
  const temporary = join(folder, 'tmp');
  await mkdir(into);
  await mkdir(temporary);
  const args = ['-m', 'pip', 'download', '--no-deps', '--only-binary=:all:', '--no-input'];
  args.push('--disable-pip-version-check', '--progress-bar=off', '--python-version', PYTHON_VERSION);
  for (const glibc of ['2_27', '2_17']) args.push('--platform', `manylinux_${glibc}_${wanted.machine}`);
  args.push(requirement, '-d', into);

  const total = expectedBytes(wanted.project, version, wanted.machine);
  const stopWatching = watchSize([temporary, into], (done) =>
    context.onProgress({ step: 'Downloading', done, total }),
  );
  const { status, output } = await runPip(args, temporary, context.signal, requirement).finally(stopWatching);
  context.signal?.throwIfAborted();
  if (status !== 0) throw failure(output, status, version, requirement);
  const wheel = (await readdir(into)).find((name) => name.endsWith('.whl'));
  if (wheel === undefined) throw failure(output, status, version, requirement);
  return join(into, wheel);
}

function wantedWheel(): Wanted {
  if (process.platform === 'linux' && process.arch === 'x64') {
    return { project: 'tensorflow-cpu', machine: 'x86_64' };
  }
  if (process.platform === 'linux' && process.arch === 'arm64') {
    return { project: 'tensorflow', machine: 'aarch64' };
  }
  throw new TensorFlowError(
    'FAILED_PRECONDITION',
    `There is no TensorFlow to fetch for ${process.platform} ${process.arch}. Get or build a libtensorflow for it and ` +
      'run `tf-session install --from FILE_OR_DIR`.',
  );
}

/** What to do where pip can't. */
function byHand(requirement: string): string {
  return (
    `Or fetch the wheel of ${requirement} for this platform by hand, on any machine, ` +
    `with \`pip download --no-deps ${requirement}\`, and run \`tf-session install --from FILE.whl\`.`
  );
}

async function runPip(
  args: string[],
  temporary: string,
  signal: AbortSignal | undefined,
  requirement: string,
): Promise<{ status: number | null; output: string }> {
  // The working directory stays the user's, for relative paths in pip's settings, but modules there don't count.
  const env = { ...process.env, TMPDIR: temporary, PYTHONSAFEPATH: '1', PYTHONIOENCODING: 'utf-8' };
  return new Promise((resolve, reject) => {
    const child = spawn(PYTHON, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const stop = () => child.kill('SIGKILL');
    signal?.addEventListener('abort', stop);
    let output = '';
    const collect = (text: string) => {
      output = (output + text).slice(-100_000);
    };
    child.stdout.setEncoding('utf8').on('data', collect);
    child.stderr.setEncoding('utf8').on('data', collect);
    child.on('error', (error: NodeJS.ErrnoException) => {
      signal?.removeEventListener('abort', stop);
      const missing = error.code === 'ENOENT' ? 'was not found' : `could not be started (${error.code})`;
      reject(
        new TensorFlowError(
          'FAILED_PRECONDITION',
          `${PYTHON} ${missing}: TensorFlow is fetched with Python's pip. Install Python 3 with pip and run the same ` +
            `command again. ${byHand(requirement)}`,
          { cause: error },
        ),
      );
    });
    child.on('close', (status) => {
      signal?.removeEventListener('abort', stop);
      resolve({ status, output });
    });
  });
}

function failure(
  output: string,
  status: number | null,
  version: string,
  requirement: string,
): TensorFlowError {
  if (/No module named '?pip\b/.test(output)) {
    return new TensorFlowError(
      'FAILED_PRECONDITION',
      `${PYTHON} has no pip, with which TensorFlow is fetched. Install it (\`${PYTHON} -m ensurepip\`, or the system's ` +
        `package python3-pip) and run the same command again. ${byHand(requirement)}`,
    );
  }
  if (/No space left on device|Errno 28\b|Errno 122\b/.test(output)) {
    return new TensorFlowError('RESOURCE_EXHAUSTED', 'pip ran out of space while it fetched TensorFlow.');
  }
  const isUnreachable = /Retrying \(|Max retries|connection|ProxyError|SSLError/i.test(output);
  const offered = /\(from versions: ([^)]*)\)/.exec(output)?.[1]?.split(', ') ?? [];
  if (!isUnreachable && offered.length > 0 && offered[0] !== 'none' && !offered.includes(version)) {
    return new TensorFlowError(
      'NOT_FOUND',
      `There is no ${requirement} for this platform. There is: ${shortened(offered)}.`,
    );
  }
  return new TensorFlowError(
    'UNAVAILABLE',
    `pip could not fetch ${requirement} (exit status ${status}). Its last lines:\n${lastLines(output)}\n` +
      `Look at the network, the proxy and pip's settings (\`${PYTHON} -m pip config list\`) and run the same command ` +
      `again. ${byHand(requirement)}`,
  );
}

/** The newest releases; candidates only where there is nothing else. */
function shortened(versions: string[]): string {
  const releases = versions.filter((version) => /^[\d.]+$/.test(version));
  const shown = releases.length > 0 ? releases : versions;
  return `${shown.length > 12 ? '…, ' : ''}${shown.slice(-12).join(', ')}`;
}

function lastLines(output: string): string {
  const lines = output.split(/[\r\n]+/).filter((line) => line.trim() !== '');
  return lines
    .slice(-6)
    .map((line) => `  ${line.length > 400 ? `${line.slice(0, 400)}…` : line}`)
    .join('\n');
}

/** Reports the size of the largest file below some folders until the returned function is called. */
function watchSize(folders: string[], report: (bytes: number) => void): () => void {
  let isBusy = false;
  let isDone = false;
  report(0);
  const timer = setInterval(async () => {
    if (isBusy) return;
    isBusy = true;
    const bytes = await largestFile(folders);
    if (!isDone) report(bytes);
    isBusy = false;
  }, POLL_MS);
  return () => {
    isDone = true;
    clearInterval(timer);
  };
}

/** The largest and not the sum: pip copies the wheel once it has come. */
async function largestFile(folders: string[]): Promise<number> {
  let largest = 0;
  for (const folder of folders) {
    for (const name of await readdir(folder, { recursive: true }).catch(() => [])) {
      const stats = await stat(join(folder, name)).catch(() => undefined);
      if (stats?.isFile() && stats.size > largest) largest = stats.size;
    }
  }
  return largest;
}
