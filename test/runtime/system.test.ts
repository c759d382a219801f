/** Libraries of the system, in a mount namespace of the test's own: nothing is put into the real /usr/local. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { makeTarball, officialEntries, useTemporaryFolder } from './archives.js';
import { compile, hasCompiler } from './gpu-archives.js';

const temporary = useTemporaryFolder();
const { inside } = temporary;
const FINDER = fileURLToPath(new URL('../../dist/runtime/finder.js', import.meta.url));

/** As root, or where users may make namespaces. */
function canMount(): boolean {
  try {
    execFileSync('unshare', ['-rm', 'sh', '-c', 'mount --bind /usr /usr/local/lib'], { stdio: 'ignore' });
    return true;
  } catch {
    console.warn('Tests of the system folders are skipped: `unshare -rm` may not mount here.');
    return false;
  }
}

/** What the finder takes, nothing named and nothing installed, where `mounts` lie over the system's own. */
function findWith(mounts: Record<string, string>): { path: string; source: string } {
  if (!existsSync(FINDER)) throw new Error(`${FINDER} is missing: build it with npx tsc -p tsconfig.json`);
  const program = `import { findLibrary } from ${JSON.stringify(FINDER)};
    const { path, source } = await findLibrary();
    console.log(JSON.stringify({ path, source }));`;
  const commands = Object.entries(mounts).map(([place, over]) => `mount --bind '${over}' '${place}'`);
  const node = `'${process.execPath}' --input-type=module --eval "$PROGRAM"`;
  const env = { ...process.env, NODE_OPTIONS: '', PROGRAM: program };
  const script = [...commands, node].join(' && ');
  return JSON.parse(execFileSync('unshare', ['-rm', 'sh', '-c', script], { env, encoding: 'utf8' }));
}

/** An official archive, unpacked as its users do: `tar -C /usr/local -xzf FILE`. */
async function unpack(folder: string): Promise<void> {
  const archive = await makeTarball(inside('libtensorflow.tar.gz'), await officialEntries());
  await mkdir(folder, { recursive: true });
  execFileSync('tar', ['-C', folder, '-xzf', archive]);
}

describe.skipIf(!canMount())('an archive that was unpacked', () => {
  it('in /usr/local is found with nothing said', async () => {
    await unpack(inside('local'));
    expect(findWith({ '/usr/local/lib': inside('local', 'lib') })).toEqual({
      path: '/usr/local/lib/libtensorflow.so.2',
      source: 'system',
    });
  });

  it.skipIf(!hasCompiler() || !existsSync('/etc/ld.so.cache'))(
    'anywhere that ldconfig knows is found with nothing said',
    async () => {
      const lib = inside('opt', 'tensorflow', 'lib');
      await compile(
        join(lib, 'libtensorflow.so.2'),
        'int f(void) { return 1; }\n',
        '-shared',
        '-fPIC',
        '-Wl,-soname,libtensorflow.so.2',
      );
      await writeFile(inside('ld.so.conf'), `${lib}\n`);
      const ldconfig =
        ['/sbin/ldconfig', '/usr/sbin/ldconfig'].find((path) => existsSync(path)) ?? 'ldconfig';
      execFileSync(ldconfig, ['-X', '-f', inside('ld.so.conf'), '-C', inside('ld.so.cache')]);
      expect(await readFile(inside('ld.so.cache'), 'latin1')).toContain('libtensorflow.so.2');
      expect(findWith({ '/etc/ld.so.cache': inside('ld.so.cache') })).toEqual({
        path: join(lib, 'libtensorflow.so.2'),
        source: 'system',
      });
    },
  );
});
