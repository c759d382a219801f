/**
 * Where a command writes. Results go to stdout: text for people, or with `--json` one document. All else goes to stderr.
 */
import { writeSync } from 'node:fs';
import { addon } from '../../runtime/addon.js';
import { jsonText } from './json-text.js';
import { printable } from './text.js';

const STDOUT = 1;
/** How long to wait where a pipe is full and does not block. */
const RETRY_MS = 2;

export class Output {
  /** Whether `--json` was given. */
  readonly isJson: boolean;
  #stdout = STDOUT;

  constructor(isJson: boolean) {
    this.isJson = isJson;
  }

  /**
   * With `--json` keeps stdout for the document alone: TensorFlow prints some lines to it by itself. To be called
   * before libtensorflow is opened, by commands that open it.
   */
  keepStdoutClean(): void {
    if (this.isJson && this.#stdout === STDOUT) this.#stdout = addon().redirectStdout();
  }

  /** A line, or lines, of the result for people; nothing with `--json`. */
  lines(...lines: readonly string[]): void {
    if (!this.isJson) process.stdout.write(lines.map((line) => `${printable(line)}\n`).join(''));
  }

  /** The result for machines; nothing without `--json`. */
  json(document: unknown): void {
    if (!this.isJson) return;
    for (const piece of jsonText(document)) {
      if (!writeAll(this.#stdout, piece)) return;
    }
    writeAll(this.#stdout, '\n');
  }

  /** Something worth knowing that is no result, to stderr. */
  note(text: string): void {
    process.stderr.write(`${printable(text)}\n`);
  }
}

/** False where the reader has gone: it has what it wanted. */
function writeAll(descriptor: number, text: string): boolean {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(descriptor, bytes, at);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE') return false;
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
    }
  }
  return true;
}

/** `head` closes the pipe once it has its lines; that is no failure of the command. A full disk is. */
export function watchStreams(): void {
  process.stderr.on('error', () => {});
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    process.stderr.write(`tf-session: stdout cannot be written to: ${error.message}\n`);
    process.exit(1);
  });
}
