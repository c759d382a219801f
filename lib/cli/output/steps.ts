/** Shows on stderr how many steps of a known number are done: a bar on a terminal, a line at each quarter in a log. */
import type { ProgressStream } from './progress.js';

const CELLS = 28;

export function stepReporter(
  what: string,
  stream: ProgressStream = process.stderr,
): { report(done: number, total: number): void; end(): void } {
  let isOpen = false;
  let quarter = -1;
  return {
    report(done, total) {
      const share = Math.min(1, done / total);
      if (stream.isTTY === true) {
        const filled = Math.round(share * CELLS);
        stream.write(
          `\r${what} ${'█'.repeat(filled)}${'░'.repeat(CELLS - filled)} ${done} of ${total}\x1b[K`,
        );
        isOpen = true;
      } else if (Math.floor(share * 4) > quarter) {
        quarter = Math.floor(share * 4);
        stream.write(`${what}: ${done} of ${total}\n`);
      }
    },
    end() {
      if (isOpen) stream.write('\n');
      isOpen = false;
    },
  };
}
