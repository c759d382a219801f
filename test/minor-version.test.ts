import { expect, it } from 'vitest';
import { isOlder, minorOf } from '../lib/minor-version.js';

it.each([
  ['1.15.5', '2.4', true],
  ['2.3.4', '2.4', true],
  ['2.4.0', '2.4', false],
  ['2.10.1', '2.9', false],
  ['2.21.0', '1.15.5', false],
  ['2.4.0-dev20200828', '2.4.1', false],
  ['2.4.0-dev20200828', '2.5.0-rc1', true],
  ['my own', '2.4', false],
  ['2.21.0', 'unknown', false],
])('%s is older than %s: %s', (version, than, older) => {
  expect(isOlder(version, than)).toBe(older);
});

it('the minor version of a candidate is that of its release', () => {
  expect(minorOf('2.21.0-rc1')).toBe('2.21');
});
