import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { releaseChangelog } from '../../scripts/release/changelog.mjs';
import { checkTree, restoring } from '../../scripts/release/tree.mjs';

describe('the changelog of a release', () => {
  const DATE = '2026-03-04';
  const text =
    '# Changelog\n\nBy hand.\n\n## Unreleased\n\n### Added\n\n- This.\n\n## 1.0.0 (2026-01-02)\n\n- That.\n';

  it('has its version and date where it said that it was unreleased', () => {
    expect(releaseChangelog(text, '1.1.0', DATE)).toBe(text.replace('Unreleased', '1.1.0 (2026-03-04)'));
    const first = text.replace('Unreleased', '0.1.0 (unreleased)');
    expect(releaseChangelog(first, '0.1.0', DATE)).toContain('\n## 0.1.0 (2026-03-04)\n');
  });

  it('may follow that of its own pre-release', () => {
    const after = text.replace('1.0.0', '1.1.0-rc.1');
    expect(releaseChangelog(after, '1.1.0', DATE)).toContain('\n## 1.1.0 (2026-03-04)\n');
  });

  it.each([
    ['has no such heading', text.replace('## Unreleased', '## 1.0.1'), /no heading/],
    ['has nothing under it', text.replace('- This.\n', ''), /nothing under/],
    ['names another version', text.replace('Unreleased', '2.0.0 (unreleased)'), /speaks of 2\.0\.0/],
    ['has that version', text.replace('1.0.0', '1.1.0'), /section of 1\.1\.0 already/],
  ])('that %s is refused', (_, wrong, message) => {
    expect(() => releaseChangelog(wrong, '1.1.0', DATE)).toThrow(message);
  });

  it("of this package's own can be released", async () => {
    const own = await readFile(new URL('../../CHANGELOG.md', import.meta.url), 'utf8');
    if (!/unreleased/i.test(own)) return expect(own).toMatch(/^## \d/m); // just released
    const version = /^## ([\d.]+) \(unreleased\)/m.exec(own)?.[1] ?? '99.0.0';
    expect(releaseChangelog(own, version, DATE)).toContain(`## ${version} (${DATE})`);
  });
});

describe('the tree of a release', () => {
  let root: string;
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=T', '-c', 'user.email=t@localhost', ...args], { cwd: root });
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'tf-session-release-test-'));
    await writeFile(join(root, 'package.json'), '{ "version": "1.2.0" }');
    git('init', '--quiet');
    git('add', '.');
    git('commit', '--quiet', '--message', 'One');
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  it.each(['1.2.0', '1.2.1', '1.10.0', '2.0.0-rc.1'])('may become %s', async (version) => {
    await expect(checkTree(root, version)).resolves.toBeUndefined();
  });

  it.each([
    ['1.1.9', /older than 1\.2\.0/],
    ['0.9.0', /older/],
    ['v1.3.0', /no version/],
    ['1.3', /no version/],
    ['--force', /no version/],
  ])('may not become %s', async (version, message) => {
    await expect(checkTree(root, version)).rejects.toThrow(message);
  });

  it('may have neither that tag nor changes', async () => {
    git('tag', 'v1.3.0');
    await expect(checkTree(root, '1.3.0')).rejects.toThrow(/tag v1\.3\.0 already/);
    await writeFile(join(root, 'new.txt'), '');
    await expect(checkTree(root, '1.3.1')).rejects.toThrow(/Commit or stash.*new\.txt/s);
  });

  it('is as it was after a failure and after a dry run, and changed otherwise', async () => {
    const file = join(root, 'package.json');
    const change = async () => {
      await writeFile(file, 'changed');
      return 1;
    };
    const fail = async () => {
      await change();
      throw new Error('in the midst of it');
    };
    await expect(restoring([file], fail)).rejects.toThrow('in the midst');
    expect(await readFile(file, 'utf8')).toBe('{ "version": "1.2.0" }');
    expect(await restoring([file], change, { keep: false })).toBe(1);
    expect(await readFile(file, 'utf8')).toBe('{ "version": "1.2.0" }');
    await restoring([file], change);
    expect(await readFile(file, 'utf8')).toBe('changed');
  });
});
