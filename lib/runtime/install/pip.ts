/** Fetches wheels with the user's own pip, so that their index, proxy and certificates hold. */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { TensorFlowError } from '../../errors.js';
import type { StepContext } from './types.js';
import { platformTags } from './wanted-wheel.js';

/** How often the size of what has come is looked at. pip itself shows nothing of it while it works into a pipe. */
const POLL_MS = 200;

const PYTHON = 'python3';
const PYTHON_VERSION = '311';

/** One wheel to fetch. */
export interface WheelRequest {
  /** As pip takes it: `tensorflow-cpu==2.21.0`. */
  requirement: string;
  /** The version in it, where it names one. */
  version?: string;
  /** As in platform tags. */
  machine: string;
  /** Bytes, where they are known before pip tells them. */
  total: number | undefined;
  /** What is being done, for the progress bar. */
  step: string;
}

/** Downloads one wheel into a fresh folder below `folder` and returns the file. */
export async function downloadWheel(
  request: WheelRequest,
  folder: string,
  context: StepContext,
): Promise<string> {
  const { requirement, step } = request;
  const place = await mkdtemp(join(folder, 'wheel-'));
  const into = join(place, 'into');
  const temporary = join(place, 'tmp');
  await mkdir(into);
  await mkdir(temporary);
  const args = ['-m', 'pip', 'download', '--no-deps', '--only-binary=:all:', '--no-input'];
  args.push('--disable-pip-version-check', '--progress-bar=off', '--python-version', PYTHON_VERSION);
  for (const tag of platformTags(request.machine)) args.push('--platform', tag);
  args.push(requirement, '-d', into);

  let { total } = request;
  const stopWatching = watchSize([temporary, into], (done) => context.onProgress({ step, done, total }));
  const onOutput = (text: string) => {
    total ??= sizeTold(text);
  };
  const ended = await runPip(args, temporary, context.signal, requirement, onOutput).finally(stopWatching);
  context.signal?.throwIfAborted();
  const wheel = (await readdir(into)).find((name) => name.endsWith('.whl'));
  if (ended.status !== 0 || wheel === undefined) throw failure(ended.output, ended.status, request);
  return join(into, wheel);
}

/** From pip's `Downloading NAME.whl (581.2 MB)`. */
function sizeTold(text: string): number | undefined {
  const [, number, unit] = /(?:Downloading|Using cached) \S+\.whl \(([\d.]+) (kB|MB|GB)\)/.exec(text) ?? [];
  return number === undefined ? undefined : Number(number) * { kB: 1e3, MB: 1e6, GB: 1e9 }[unit as 'MB'];
}

/** What to do where pip can't. */
function byHand(requirement: string): string {
  if (!requirement.startsWith('tensorflow')) {
    return (
      `Or fetch the wheel of TensorFlow and of each package that its extra \`and-cuda\` names by hand, on any machine, ` +
      'into one folder, and run `tf-session install --gpu --from FOLDER`.'
    );
  }
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
  onOutput: (text: string) => void,
): Promise<{ status: number | null; output: string }> {
  // The working directory stays the user's, for relative paths in pip's settings, but modules there don't count.
  const python = { PYTHONSAFEPATH: '1', PYTHONIOENCODING: 'utf-8', PYTHONUNBUFFERED: '1' };
  const env = { ...process.env, TMPDIR: temporary, ...python };
  return new Promise((resolve, reject) => {
    const child = spawn(PYTHON, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const stop = () => child.kill('SIGKILL');
    signal?.addEventListener('abort', stop);
    let output = '';
    const collect = (text: string) => {
      output = (output + text).slice(-100_000);
      onOutput(output);
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
  { requirement, version }: WheelRequest,
): TensorFlowError {
  if (/No module named '?pip\b/.test(output)) {
    return new TensorFlowError(
      'FAILED_PRECONDITION',
      `${PYTHON} has no pip, with which TensorFlow is fetched. Install it (\`${PYTHON} -m ensurepip\`, or the system's ` +
        `package python3-pip) and run the same command again. ${byHand(requirement)}`,
    );
  }
  if (/No space left on device|Errno 28\b|Errno 122\b/.test(output)) {
    return new TensorFlowError('RESOURCE_EXHAUSTED', `pip ran out of space while it fetched ${requirement}.`);
  }
  const isUnreachable = /Retrying \(|Max retries|connection|ProxyError|SSLError/i.test(output);
  const offered = /\(from versions: ([^)]*)\)/.exec(output)?.[1]?.split(', ') ?? [];
  const isOffered = version !== undefined && offered.includes(version);
  if (!isUnreachable && offered.length > 0 && offered[0] !== 'none' && !isOffered) {
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
