// A Python that moves: the interpreter of this machine with its standard library, what it needs beside glibc, and
// TensorFlow's own wheel, whose two large libraries are links to the bundle's.
import { cp, mkdir, readdir, rm, symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Failure } from '../../tools/failure.mjs';
import { pip } from '../../tools/pip.mjs';
import { attempt } from '../../tools/spawn.mjs';
import { neededOf } from './system-libraries.mjs';

/** Of the standard library; tests and editors are not run. */
const UNUSED =
  /^(test|idlelib|tkinter|turtledemo|ensurepip|site-packages|lib2to3|config-[\w.-]+|__pycache__)$/;
const SHARED = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'];
const TRY = `import tensorflow as tf
with tf.compat.v1.Session(graph=tf.Graph()) as session:
    assert session.run(tf.constant(1.0) + 1.0) == 2.0
print(tf.__version__)`;

/**
 * Makes `python/` in `work`, and beside it a link `library`, so that it can be tried there as it will lie in the bundle.
 *
 * @param {string} work
 * @param {import('./installation.mjs').Installation} library
 * @param {string} node Its C++ runtime goes along: TensorFlow needs it.
 * @returns {Promise<object>} What kit.json says of it, relative to `app/`.
 */
export async function stagePython(work, { folder, version, variant }, node) {
  const python = join(work, 'python');
  const { executable, standard } = await interpreter();
  await mkdir(join(python, 'bin'), { recursive: true });
  await cp(executable, join(python, 'bin/python3'), { dereference: true });
  const target = join(python, 'lib', basename(standard));
  await cp(standard, target, {
    recursive: true,
    // Debian's has links to /etc.
    dereference: true,
    filter: (path) => !UNUSED.test(basename(path)),
  });
  const modules = (await readdir(join(target, 'lib-dynload'))).map((name) =>
    join(target, 'lib-dynload', name),
  );
  for (const [name, path] of await neededOf([executable, ...modules, node]))
    await cp(path, join(python, 'lib', name), { dereference: true });

  const site = join(python, 'site');
  const project = variant === 'gpu' ? 'tensorflow' : 'tensorflow-cpu';
  await pip(
    ['install', '--only-binary=:all:', '--no-compile', '--target', site, `${project}==${version}`],
    project,
  );
  for (const name of SHARED) {
    await rm(join(site, 'tensorflow', name));
    await symlink(join('../../../library/lib', name), join(site, 'tensorflow', name));
  }
  await symlink('../../library/nvidia', join(site, 'nvidia'));
  await rm(join(site, 'bin'), { recursive: true, force: true });
  await rm(join(site, 'tensorflow/include'), { recursive: true, force: true });
  await symlink(folder, join(work, 'library'));

  const folders = {
    PYTHONHOME: ['python'],
    PYTHONPATH: ['python/site'],
    LD_LIBRARY_PATH: ['python/lib'],
    KERAS_HOME: ['python/keras'],
  };
  await tryOut(work, folders, version);
  const fromApp = (path) => join('..', path);
  return {
    command: fromApp('python/bin/python3'),
    folders: Object.fromEntries(Object.entries(folders).map(([name, paths]) => [name, paths.map(fromApp)])),
  };
}

async function interpreter() {
  const script = `import json, os, sys, sysconfig
print(json.dumps({'executable': os.path.realpath(sys.executable), 'standard': sysconfig.get_path('stdlib')}))`;
  const { status, stdout, output } = await attempt('python3', ['-c', script], { capture: true });
  if (status !== 0) throw new Failure(`python3 does not say where it lies:\n${output}`);
  return JSON.parse(stdout);
}

/** With none of this machine's Python in sight. */
async function tryOut(work, folders, version) {
  const env = Object.fromEntries(
    Object.entries(folders).map(([name, paths]) => [name, paths.map((path) => join(work, path)).join(':')]),
  );
  const { status, stdout, output } = await attempt(
    join(work, 'python/bin/python3'),
    ['-B', '-s', '-c', TRY],
    {
      env: { ...env, PATH: '', TF_CPP_MIN_LOG_LEVEL: '2' },
      capture: true,
    },
  );
  if (status !== 0 || stdout.trim() !== version)
    throw new Failure(`The Python that was put together does not run TensorFlow ${version}:\n${output}`);
}
