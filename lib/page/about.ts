/** Machine and versions, for whoever a page is sent to. */
import { arch, cpus, hostname, release, totalmem, type } from 'node:os';
import { formatBytes } from '../format.js';
import { tensorflow } from '../runtime/tensorflow.js';

export function aboutMachine(): [label: string, value: string][] {
  const processors = cpus();
  return [
    ['TensorFlow', `${tensorflow.version}, ${tensorflow.path}`],
    ['Node.js', process.version],
    ['Machine', hostname()],
    ['Processor', `${processors[0]?.model.trim() ?? 'unknown'}, ${processors.length} cores`],
    ['Memory', formatBytes(totalmem())],
    ['System', `${type()} ${release()}, ${arch()}`],
    ['Made', new Date().toISOString()],
  ];
}
