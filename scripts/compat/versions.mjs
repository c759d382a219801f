// The libraries that this package is tried on, and where each comes from: PyPI, by package name, through the user's pip.

/**
 * @typedef {object} Version
 * @property {string} version
 * @property {'install' | 'extension' | 'file'} kind
 *   `install`: what `tf-session install` fetches, from 2.12 on. `extension`: all of TensorFlow is linked into a Python
 *   extension. `file`: the wheel of another package holds TensorFlow's own C library.
 * @property {string} [requirement] what pip is asked for
 * @property {string[]} [pip] arguments that tell pip of another Python and platform than this one's
 * @property {string} [note] for the table
 */

const forPython = (version, platform) => ['--python-version', version, '--platform', platform];
const MANYLINUX_1 = 'manylinux1_x86_64';
const MANYLINUX_2010 = 'manylinux2010_x86_64';
const MANYLINUX_2014 = 'manylinux_2_17_x86_64';

/** @type {readonly Version[]} */
export const VERSIONS = [
  {
    version: '1.10.1',
    kind: 'extension',
    requirement: 'tensorflow==1.10.1',
    pip: forPython('36', MANYLINUX_1),
  },
  {
    version: '1.12.3',
    kind: 'extension',
    requirement: 'tensorflow==1.12.3',
    pip: forPython('36', MANYLINUX_1),
  },
  {
    version: '1.13.2',
    kind: 'extension',
    requirement: 'tensorflow==1.13.2',
    pip: forPython('37', MANYLINUX_1),
  },
  {
    version: '1.15.5',
    kind: 'extension',
    requirement: 'tensorflow==1.15.5',
    pip: forPython('37', MANYLINUX_2010),
  },
  {
    version: '2.3.4',
    kind: 'extension',
    requirement: 'tensorflow-cpu==2.3.4',
    pip: forPython('38', MANYLINUX_2010),
  },
  {
    version: '2.5.0',
    kind: 'file',
    requirement: 'essentia-tensorflow==2.1b6.dev1389',
    pip: ['--pre', ...forPython('311', MANYLINUX_2014)],
    note: 'GPU build (CUDA 11), the official file',
  },
  {
    version: '2.9.3',
    kind: 'extension',
    requirement: 'tensorflow-cpu==2.9.3',
    pip: forPython('310', MANYLINUX_2014),
  },
  ...['2.12.1', '2.13.1', '2.14.1', '2.15.1', '2.16.2', '2.17.1', '2.18.1', '2.19.1', '2.20.0', '2.21.0'].map(
    (version) => ({ version, kind: /** @type {const} */ ('install') }),
  ),
];
