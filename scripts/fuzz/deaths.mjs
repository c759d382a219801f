// Why a child died, by what it left on stderr: whose fault that was, and what it has in common with others like it.
import { KNOWN } from './known.mjs';

const FRAME = /^(\S*?)(?:\(([^()]*?)(?:\+0x[0-9a-f]+)?\))?\[0x[0-9a-f]+\]$/;
/** Between the fault and who is at fault. */
const PASSED = /libc\.so|backtrace\.so|libstdc\+\+|libgcc|ld-linux|linux-vdso/;

/**
 * @typedef {object} Death
 * @property {string} at `tensor_shape.cc:123`, or the signal and the function that it came to
 * @property {boolean} isOurs false where TensorFlow did it alone
 * @property {boolean} isKnown
 * @property {string} text
 *
 * @param {string} stderr
 * @param {{ status: number | null, signal: string | null }} end
 * @returns {Death}
 */
export function understand(stderr, { status, signal }) {
  const check =
    /^F\d{4} [\d:. ]+?\d+ (\S+?:\d+)\] (.*)$/m.exec(stderr) ?? /^\S+ \S+: F (\S+?:\d+)\] (.*)$/m.exec(stderr);
  const frames = framesOf(stderr);
  const first = frames.find(({ file }) => !PASSED.test(file));
  const isOurs = check === null && !/libtensorflow/.test(first?.file ?? '');
  const end = signal ?? `status ${status}`;
  const at =
    check !== null
      ? check[1].replace(/^.*\//, '')
      : `${end} in ${first?.name || first?.file || 'nobody knows what'}`;
  const why =
    check?.[2] ??
    frames
      .slice(0, 12)
      .map(({ file, name }) => `${file.replace(/^.*\//, '')} ${name}`)
      .join('\n');
  return { at, isOurs, isKnown: KNOWN.some((known) => known.at === at), text: why || stderr.slice(-2000) };
}

function framesOf(stderr) {
  const [, text = ''] = /FRAMES\n([\s\S]*?)(?:END OF FRAMES|$)/.exec(stderr) ?? [];
  return text.split('\n').flatMap((line) => {
    const match = FRAME.exec(line);
    return match === null ? [] : [{ file: match[1], name: match[2] ?? '' }];
  });
}
