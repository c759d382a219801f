import { afterEach, describe, expect, it } from 'vitest';
import { install } from '../../lib/runtime/install/install.js';
import { wantedWheel } from '../../lib/runtime/install/wanted-wheel.js';
import { useTemporaryFolder } from './archives.js';

const { inCache } = useTemporaryFolder();

describe('what there is to fetch', () => {
  const { platform, arch } = process;
  afterEach(() => {
    Object.defineProperty(process, 'platform', { value: platform });
    Object.defineProperty(process, 'arch', { value: arch });
  });
  const be = (platform: string, arch: string) => {
    Object.defineProperty(process, 'platform', { value: platform });
    Object.defineProperty(process, 'arch', { value: arch });
  };

  it('is a wheel of a project of its own on each machine', () => {
    be('linux', 'x64');
    expect(wantedWheel('2.21.0', 'cpu')).toEqual({ project: 'tensorflow-cpu', machine: 'x86_64' });
    expect(wantedWheel('2.21.0', 'gpu')).toEqual({ project: 'tensorflow', machine: 'x86_64' });
    be('linux', 'arm64');
    expect(wantedWheel('2.21.0', 'cpu')).toEqual({ project: 'tensorflow', machine: 'aarch64' });
    expect(wantedWheel('2.15.1', 'cpu')).toEqual({ project: 'tensorflow-cpu-aws', machine: 'aarch64' });
  });

  it.each([
    ['linux', 'arm64', /linux arm64.*Leave --gpu out/],
    ['darwin', 'arm64', /darwin arm64.*Linux x64 alone\..*--from FILE_OR_DIR/],
    ['win32', 'x64', /win32 x64.*WSL 2/],
  ])('is no GPU build for %s %s', (platform, arch, message) => {
    be(platform, arch);
    expect(() => wantedWheel('2.21.0', 'gpu')).toThrow(message);
  });

  it('is nothing before 2.12, which came as archives', async () => {
    be('linux', 'x64');
    const attempt = install({ version: '2.11.1' });
    await expect(attempt).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(attempt).rejects.toThrow(
      /before 2\.12\.0 .*archives: get libtensorflow-cpu-linux-x86_64-2\.11\.1\.tar\.gz .*--from/,
    );
    expect(await inCache()).toEqual([]);
  });
});
