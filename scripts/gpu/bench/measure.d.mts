import type { Case } from './cases.mjs';
import type { Seen } from './page.mjs';

export function problemOf(
  of: Pick<Case, 'name' | 'device'>,
  batch: number | undefined,
  error: string,
): { what: string; error: string; isExpected: boolean };
export function wrongPlace(
  of: Pick<Case, 'device' | 'variant'>,
  seen: Seen | { error: string },
  rehearse: boolean,
): string | undefined;
