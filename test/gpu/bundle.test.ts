import { cp, mkdir, readdir, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findLibrary } from '../../lib/runtime/finder.js';
import { programOnPath, run } from '../helpers/program.js';
import { temporaryFolder } from '../package/consumer.js';

// Of the CPU build, without models and Python: what is tried here is the bundle itself. With everything, and a GPU build, by
// hand: scripts/gpu/bundle.mjs, scripts/gpu/try-bundle.mjs.

const isTarget = process.platform === 'linux' && process.arch === 'x64';
const script = (name: string, ...args: string[]) => run(process.execPath, [`scripts/gpu/${name}`, ...args]);

describe.skipIf(!isTarget)('a bundle for a GPU machine', { timeout: 240_000 }, () => {
  let folder: string;
  let bundle: string;
  beforeAll(async () => {
    folder = await temporaryFolder();
    bundle = join(folder, 'bundle');
    const library = join(dirname((await findLibrary()).path), '..');
    const args = ['--library', library, '--without', 'models', '--without', 'python', '--level', '1'];
    const { status, stdout, stderr } = await script('bundle.mjs', bundle, ...args);
    if (status !== 0) throw new Error(stderr);
    expect(stdout).toMatch(/\d+ pieces, \d+ MB, which make \d+ MB/);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('has no file above 60 MB, and sums by which a copy is checked', async () => {
    const entries = await readdir(bundle, { recursive: true, withFileTypes: true });
    const files = entries
      .filter((each) => each.isFile())
      .map(({ parentPath, name }) => join(parentPath, name));
    const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(60_000_000);
    const sums = await readFile(join(bundle, 'SHA256SUMS'), 'utf8');
    expect(sums.trim().split('\n')).toHaveLength(files.length - 1);
    expect((await run('sha256sum', ['-c', '--quiet', 'SHA256SUMS'], { cwd: bundle })).status).toBe(0);
  });

  it('runs where there is nothing but a shell, four programs and glibc', async ({ skip }) => {
    const can = await run('unshare', [
      ...(process.getuid?.() === 0 ? [] : ['--map-root-user']),
      ...['--mount', '--net', 'true'],
    ]);
    if (can.status !== 0) skip(`no root folder of one's own can be had here: ${can.stderr}`);
    const checks = ['rules', 'alternate', 'saved-device'].flatMap((name) => ['--only', name]);
    const { status, stdout, stderr } = await script(
      'try-bundle.mjs',
      bundle,
      '--',
      '--rehearse',
      '--no-bench',
      ...checks,
    );
    expect(stderr).toContain('Unpacking library');
    expect(stdout).toContain('REHEARSAL WITHOUT A GPU');
    expect(stdout).toMatch(/3 checks: [1-9]\d* expectations held, 0 failed/);
    expect(status).toBe(0);
  });

  it('says why it checks nothing where there is no GPU', async ({ skip }) => {
    if (programOnPath(['nvidia-smi']) !== undefined) skip('there may be a GPU here');
    const { status, stderr } = await start(bundle, join(folder, 'whole'), '--no-bench');
    expect(stderr).toContain('There is no GPU, so nothing was checked. This is a CPU build of TensorFlow.');
    expect(status).toBe(1);
  });

  it('starts and opens nothing else of a whole machine either, by what strace saw', async ({ skip }) => {
    if (programOnPath(['strace']) === undefined) skip('there is no strace on the PATH');
    const args = ['--trace', '--', '--rehearse', '--no-bench', '--only', 'rules'];
    const { status, stdout } = await script('try-bundle.mjs', bundle, ...args);
    expect(stdout).toMatch(/Under strace, \d+ processes and threads: exit status 0, 0 faults/);
    expect(status).toBe(0);
  });

  it('is not put together of pieces that are missing, cut off or changed: it names them', async () => {
    const damaged = join(folder, 'damaged');
    await cp(bundle, damaged, { recursive: true });
    const piece = (name: string) => join(damaged, 'pieces', name);
    const app = await readFile(piece('app.tar.zst.00'));
    app[app.length >> 1]! ^= 1;
    await writeFile(piece('app.tar.zst.00'), app);
    await truncate(piece('library.tar.zst.00'), 1000);
    await rm(piece('library.tar.zst.01'));
    const to = join(folder, 'nothing');
    const { status, stderr } = await start(damaged, to, '--rehearse');
    expect(status).toBe(1);
    expect(stderr).toContain('app.tar.zst.00 is damaged');
    expect(stderr).toContain('library.tar.zst.00 has 1000 bytes instead of 60000000');
    expect(stderr).toContain('library.tar.zst.01 is missing');
    expect((await readdir(to)).sort()).toEqual(['no-programs', 'node']);
  });

  it('takes the place of another bundle, by one process at a time, and leaves all else', async () => {
    const name = "it's \u00fc new";
    const to = join(folder, name);
    await mkdir(join(to, 'models/old'), { recursive: true });
    await writeFile(join(to, 'begun.json'), JSON.stringify({ parts: [{ folders: ['models'] }] }));
    await writeFile(join(to, 'mine'), '');
    const env = { ...process.env, CDPATH: '/', TF_SESSION_GPU_FOLDER: name, OPENSSL_CONF: join(to, 'mine') };
    const start = () => run('sh', ['bundle/run-gpu-checks', '--list'], { cwd: folder, env });
    const first = start();
    const files = async () => (await readdir(to)).sort().join(' ');
    await expect.poll(files, { timeout: 60_000 }).toMatch(/^app begun.json mine no-programs/);
    const second = await start();
    expect(second.stderr).toContain('Another process is unpacking into');
    expect(second.status).toBe(1);
    const { status, stdout, stderr } = await first;
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(stdout).toContain('rules: ');
    expect(await files()).toBe('app library mine no-programs node whole.json');

    const root = process.cwd();
    expect((await readFile(join(to, 'app/bin/raw'))).includes(root)).toBe(false);
    expect(await readFile(join(to, 'app/package-lock.json'), 'utf8')).not.toContain('"resolved": "http');
  });

  it('removes nothing that no bundle has put there', async () => {
    const to = join(folder, 'home');
    await mkdir(join(to, 'app'), { recursive: true });
    await writeFile(join(to, 'app/own'), '');
    const { status, stderr } = await start(bundle, to, '--rehearse');
    expect(stderr).toContain(`${to} has app, which no bundle has put there.`);
    expect(status).toBe(1);
    expect((await readdir(to, { recursive: true })).sort()).toEqual([
      'app',
      'app/own',
      'no-programs',
      'node',
    ]);
  });

  it('says what is wrong with its manifest, its path, and the place of its launcher', async () => {
    const broken = join(folder, 'broken');
    const to = join(folder, 'none');
    await mkdir(broken);
    await symlink(join(bundle, 'run-gpu-checks'), join(broken, 'run-gpu-checks'));
    expect((await start(broken, to)).stderr).toContain('has no pieces/unpack.mjs');
    await cp(join(bundle, 'pieces'), join(broken, 'pieces'), { recursive: true });
    await writeFile(join(broken, 'pieces/manifest.json'), '{');
    expect((await start(broken, to)).stderr).toMatch(/^\S+manifest.json is missing or damaged/);
    for (const part of [':', '*', '[', '\\']) {
      expect((await start(bundle, join(to, part))).stderr).toContain(': ; * ? [ " and \\');
    }
  });

  it.each([
    ['a file', () => join(bundle, 'SHA256SUMS')],
    ['a folder that is not empty', () => bundle],
    ['no name', () => ''],
  ])('is not made in the place of %s', async (_what, place) => {
    const before = await readdir(bundle);
    expect((await script('bundle.mjs', place())).status).toBe(1);
    expect(await readdir(bundle)).toEqual(before);
  });

  it('says so where its Node is damaged', async () => {
    const to = join(folder, 'no-node');
    await mkdir(to);
    await writeFile(join(to, 'node'), 'not a program', { mode: 0o755 });
    const { status, stderr } = await start(bundle, to, '--rehearse');
    expect(status).toBe(1);
    expect(stderr).toContain('Node does not start');
  });

  function start(from: string, to: string, ...args: string[]) {
    return run(join(from, 'run-gpu-checks'), args, { env: { ...process.env, TF_SESSION_GPU_FOLDER: to } });
  }
});
