/** Shows how far a long step has come: a bar on a terminal, a few plain lines in a log. */

/** One step's state, as `InstallProgress`. */
export interface Progress {
  step: string;
  /** Bytes so far. */
  done: number;
  /** Bytes in all, where known. */
  total: number | undefined;
}

export interface ProgressReporter {
  report(progress: Progress): void;
  /** Ends the line of a bar. To be called before anything else is written, also after a failure. */
  end(): void;
}

/** What is needed of a stream: process.stderr has it. */
export interface ProgressStream {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

const LABEL = 12;
const BAR_CELLS = 28;
const FEWEST_CELLS = 8;
/** A terminal is written to at most this often. */
const REDRAW_MS = 100;
/** A log gets a line at these shares of a step, and where the total isn't known at each so many bytes. */
const LOG_SHARE = 0.25;
const LOG_BYTES = 100e6;

/** A reporter that writes to `stream`, which defaults to stderr: stdout is for results. */
export function progressReporter(stream: ProgressStream = process.stderr): ProgressReporter {
  return stream.isTTY === true ? bar(stream) : log(stream);
}

function bar(stream: ProgressStream): ProgressReporter {
  let step: string | undefined;
  let drawnAt = 0;
  let last = '';
  const draw = (line: string) => {
    // A terminal whose size isn't known says 0.
    const fits = line.slice(0, (stream.columns || 80) - 1);
    stream.write(`\r${fits}\x1b[K`);
    last = '';
  };
  const end = () => {
    if (step === undefined) return;
    if (last !== '') draw(last);
    stream.write('\n');
    step = undefined;
  };
  return {
    report(progress) {
      if (progress.step !== step) end();
      const now = Date.now();
      last = barLine(progress);
      const isDue = progress.step !== step || now - drawnAt >= REDRAW_MS;
      step = progress.step;
      if (!isDue) return;
      drawnAt = now;
      draw(last);
    },
    end,
  };
}

function barLine({ step, done, total }: Progress): string {
  const label = step.padEnd(LABEL);
  if (total === undefined || total === 0) return `${label} ${megabytes(done)}`;
  const share = Math.min(1, done / total);
  // A longer step leaves the bar less, so that all of it fits into 80 columns.
  const width = Math.max(FEWEST_CELLS, BAR_CELLS + LABEL - label.length);
  const filled = Math.round(share * width);
  const cells = '█'.repeat(filled) + '░'.repeat(width - filled);
  const percent = `${Math.floor(share * 100)}%`.padStart(4);
  return `${label} ${cells} ${percent}  ${megabytes(done)} of ${megabytes(total)}`;
}

function log(stream: ProgressStream): ProgressReporter {
  let step: string | undefined;
  let next = 0;
  return {
    report({ step: now, done, total }) {
      const every = total === undefined || total === 0 ? LOG_BYTES : total * LOG_SHARE;
      if (now !== step) {
        step = now;
        next = 0;
      }
      if (done < next) return;
      const share = total ? ` (${Math.floor(Math.min(1, done / total) * 100)}%)` : '';
      const of = total ? ` of ${megabytes(total)}` : '';
      stream.write(`${step}: ${megabytes(done)}${of}${share}\n`);
      next = (Math.floor(done / every) + 1) * every;
    },
    end() {
      step = undefined;
    },
  };
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 10e6 ? 1 : 0)} MB`;
}
