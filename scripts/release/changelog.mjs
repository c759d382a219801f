// The changelog of a version that is released now.
import { Failure } from '../tools/failure.mjs';

/** `## Unreleased`, or `## 1.2.3 (unreleased)`. */
const HEADING = /^## (?:\[?unreleased\]?|([\w.-]+) \(unreleased\))[ \t]*$/im;

/**
 * Gives what is unreleased its version and date.
 *
 * @param {string} text The whole changelog.
 * @param {string} version
 * @param {string} date 2026-01-31
 * @returns {string}
 */
export function releaseChangelog(text, version, date) {
  const heading = HEADING.exec(text);
  if (heading === null) throw new Failure('CHANGELOG.md has no heading "## Unreleased": nothing to release.');
  if (heading[1] !== undefined && heading[1] !== version) {
    throw new Failure(`CHANGELOG.md speaks of ${heading[1]} as unreleased, this is ${version}.`);
  }
  const after = text.slice(heading.index + heading[0].length);
  const section = after.split(/^## /m, 1)[0];
  const lines = section.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
  if (lines.length === 0) throw new Failure('CHANGELOG.md has nothing under its heading "Unreleased".');
  const own = /^## ([\w.-]+)(?! *\(unreleased)/;
  if (text.split('\n').some((line) => own.exec(line)?.[1] === version)) {
    throw new Failure(`CHANGELOG.md has a section of ${version} already.`);
  }
  return `${text.slice(0, heading.index)}## ${version} (${date})${after}`;
}
