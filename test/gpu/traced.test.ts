import { describe, expect, it } from 'vitest';
import { readTrace } from '../../scripts/gpu/bundle/traced.mjs';

const OURS = ['/b', '/made'];
const start = (path: string, result = '0') =>
  `execve("${path}", ["x", "a \\"b\\""], 0x7ffc /* 4 vars */) = ${result}`;
const open = (given: string, path: string) =>
  `openat(AT_FDCWD</home>, "${given}", O_RDONLY|O_CLOEXEC) = 3<${path}>`;
const log = (...lines: string[]) => [start('/made/node'), ...lines].join('\n');

describe('what a bundle has used of the machine', () => {
  it('is nothing worth a word where it keeps to the shell, glibc, the C++ runtime, the driver and itself', () => {
    const { programs, files, faults } = readTrace(
      log(
        start('/usr/bin/cat'),
        open('/lib/x86_64-linux-gnu/libc.so.6', '/usr/lib/x86_64-linux-gnu/libc.so.6'),
        open('libcuda.so.1', '/usr/lib/x86_64-linux-gnu/libcuda.so.550.90.07'),
        open('/proc/self/maps', '/proc/12/maps'),
        open('/made/library/lib/libtensorflow_cc.so.2', '/made/library/lib/libtensorflow_cc.so.2'),
        open('/b/pieces/node.00', '/b/pieces/node.00'),
      ),
      OURS,
    );
    expect(faults).toEqual([]);
    expect(programs).toEqual(['/usr/bin/cat']);
    expect(files).not.toContain('/b/pieces/node.00');
  });

  it.each([
    ['Python', start('/usr/bin/python3.11'), '/usr/bin/python3.11 was started.'],
    ["the machine's Node", start('/usr/local/bin/node'), '/usr/local/bin/node was started.'],
    [
      'a compiler',
      start('/usr/bin/x86_64-linux-gnu-gcc-12'),
      '/usr/bin/x86_64-linux-gnu-gcc-12 was started.',
    ],
    [
      'CUDA of the system',
      open('libcudart.so.12', '/usr/local/cuda-12.4/lib64/libcudart.so.12.4.127'),
      '/usr/local/cuda-12.4/lib64/libcudart.so.12.4.127 was opened.',
    ],
    [
      'it through a link of the bundle',
      open('/made/library/nvidia/cublas/lib/libcublas.so.12', '/opt/cuda/libcublas.so.12'),
      '/opt/cuda/libcublas.so.12 was opened.',
    ],
    [
      "a module of the user's",
      open('node_modules/x.js', '/home/node_modules/x.js'),
      '/home/node_modules/x.js was opened.',
    ],
  ])('%s is a fault', (_what, line, fault) => {
    expect(readTrace(log(line), OURS).faults).toEqual([fault]);
  });

  it.each([
    [
      'openat2',
      'openat2(AT_FDCWD</>, "x", {flags=O_RDONLY, resolve=0}, 24) = 4</opt/x>',
      '/opt/x was opened.',
    ],
    ['creat', 'creat("x", 0600)      = 6</opt/x>', '/opt/x was opened.'],
    ['a file that is gone by now', `${open('/opt/x', '/opt/x')}(deleted)`, '/opt/x was opened.'],
    [
      'fexecve',
      'execveat(5</usr/bin/gcc>, "", ["x"], 0x7f /* 0 vars */, AT_EMPTY_PATH) = 0',
      '/usr/bin/gcc was started.',
    ],
    [
      'a program in memory',
      'execveat(7</memfd:x>(deleted), "", ["x"], 0x7f /* 0 vars */, AT_EMPTY_PATH) = 0',
      '/memfd:x was started.',
    ],
    [
      'an absolute path beside a folder of the bundle',
      'execveat(AT_FDCWD</made>, "/usr/bin/gcc", ["x"], 0x7f /* 0 vars */, 0) = 0',
      '/usr/bin/gcc was started.',
    ],
    ['a quote', start('/a\\"/cat'), '/a"/cat was started.'],
    ['a relative path', start('./cat'), './cat was started.'],
    ['a program in /tmp', start('/tmp/x'), '/tmp/x was started.'],
    ['a library in /tmp', open('/tmp/libx.so.1', '/tmp/libx.so.1'), '/tmp/libx.so.1 was opened.'],
  ])('%s is seen', (_what, line, fault) => {
    expect(readTrace(log(line), OURS).faults).toEqual([fault]);
  });

  it('knows folders of any name', () => {
    const lines = log(
      start('/\\303\\274 \\"/node'),
      open('x', '/\\303\\274 \\"/x'),
      open('/tmp/y', '/tmp/y'),
    );
    expect(readTrace(lines, [...OURS, '/ü "']).faults).toEqual([]);
  });

  it('does not count what could not be started or opened', () => {
    const none = 'openat(AT_FDCWD</home>, "/opt/x", O_RDONLY) = -1 ENOENT (No such file or directory)';
    const { programs, files, faults } = readTrace(
      log(start('/usr/bin/python3', '-1 ENOENT (No such file or directory)'), none),
      OURS,
    );
    expect({ programs, files, faults }).toEqual({ programs: [], files: [], faults: [] });
  });

  it('is not known from a log in which nothing of the bundle stands', () => {
    expect(readTrace('', OURS).faults).toEqual(['Nothing of the bundle was started or opened.']);
    expect(readTrace(start('/usr/bin/cat'), OURS).faults).toHaveLength(1);
  });
});
