import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fixture } from '../saved-model/models.js';
import { command, expectFailure, temporaryFile } from './command.js';
import { npyFile } from './npy-file.js';

const COMMANDS = ['install', 'info', 'show', 'run', 'place'];
const MODEL = fixture('tf2-functions');

describe('help', () => {
  it('is what no command at all gets, with status 2', async () => {
    const ended = await command([]);
    expect(ended).toMatchObject({ status: 2, stdout: '' });
    for (const name of COMMANDS) expect(ended.stderr).toMatch(new RegExp(`^  ${name} `, 'm'));
  });

  it.each(COMMANDS)('of %s has its options and an example', async (name) => {
    const ended = await command([name, '--help']);
    expect(ended).toMatchObject({ status: 0, stderr: '' });
    for (const part of ['--json', '--library <PATH>', `$ tf-session ${name}`]) {
      expect(ended.stdout).toContain(part);
    }
  });

  it('and the version go to stdout', async () => {
    expect(await command(['--help'])).toMatchObject({ status: 0, stderr: '' });
    const file = new URL('../../package.json', import.meta.url);
    const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
    expect(await command(['--version'])).toMatchObject({ status: 0, stdout: `${version}\n`, stderr: '' });
  });
});

describe('wrong usage has exit status 2', () => {
  it.each<[string, string[], RegExp]>([
    ['an unknown command', ['shwo'], /unknown command 'shwo'[\s\S]*show/],
    ['an unknown option', ['run', MODEL, '--inputs', 'x=1'], /unknown option '--inputs'[\s\S]*--input/],
    ['a missing argument', ['show', '--json'], /missing required argument 'DIR'/],
    ['an argument too many', ['info', 'more'], /too many arguments/],
    ['an option without its value', ['run', MODEL, '--signature'], /argument missing/],
    ['a version that is none', ['install', '--tensorflow', 'latest'], /latest/],
    ['an input without a name', ['run', MODEL, '--input', '[1]'], /NAME=VALUE/],
    ['an input given twice', ['run', MODEL, '--input', 'x=1', '--input', 'x=1'], /twice/],
    ['an input that is no JSON', ['run', MODEL, '--input', 'x=cat', '--json'], /neither JSON nor a path/],
    ['an input file that is not there', ['run', MODEL, '--input', 'x=cat.npy'], /cat\.npy does not exist/],
    [
      'a config file that is not there',
      ['run', MODEL, '--config', 'no.json'],
      /--config: no\.json does not exist/,
    ],
  ])('%s', async (_, args, message) => {
    expectFailure(await command(args), 2, message);
  });

  it.each<[string, string, string, RegExp]>([
    ['config that is no JSON', '--config', '{bad', /--config: .*config\.json is not JSON/],
    ['config that is no object', '--config', '[]', /no JSON object/],
    ['config with an unknown key', '--config', '{"allowGrowth":true}', /INVALID_OPTION: .*gpuOptions/],
    ['options that are no JSON', '--options', '', /--options: .* is not JSON/],
  ])('%s', async (_, option, contents, message) => {
    const file = await temporaryFile('config.json', contents);
    expectFailure(await command(['run', MODEL, option, file, '--json']), 2, message);
  });

  it('a truncated array', async () => {
    const file = await temporaryFile('x.npy', npyFile('<f4', [8], Buffer.alloc(16)));
    expectFailure(await command(['run', MODEL, '--input', `x=${file}`]), 2, /truncated/);
  });
});
