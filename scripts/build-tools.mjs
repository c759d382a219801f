// What of a compiler's kit the machine lacks, said before CMake says it in 40 lines.
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** How to get what is missing. */
export const REMEDY =
  'Debian, Ubuntu: apt install cmake make g++; Fedora: dnf install cmake make gcc-c++; macOS: xcode-select --install and brew install cmake.';

/** In words; empty where all is there. CMake itself finds a compiler on Windows, which is in no PATH. */
export function missingTools(env = process.env) {
  const missing = [];
  if (!has('cmake', env)) missing.push('CMake 3.20 or later (cmake)');
  if (process.platform === 'win32') return missing;
  if (!has('make', env) && !has('ninja', env)) missing.push('make or Ninja');
  const compilers = env.CXX ? [env.CXX.split(' ')[0]] : ['c++', 'g++', 'clang++'];
  if (!compilers.some((name) => has(name, env))) missing.push(`a C++17 compiler (${compilers.join(', ')})`);
  return missing;
}

function has(name, env) {
  const names = process.platform === 'win32' ? [`${name}.exe`, `${name}.cmd`] : [name];
  const folders = name.includes('/')
    ? ['']
    : (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.some((folder) => names.some((file) => isProgram(join(folder, file))));
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
