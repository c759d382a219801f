import type { Ratio } from './cases.mjs';

type Figures = ReadonlyMap<string, Record<string, number>[]>;
interface Checked {
  what: string;
  value: number;
  best: number;
  bound: string;
  holds: boolean | undefined;
}
type Beside = (Record<string, string> & { model: string })[];
export function figureOf(figures: Figures, name: string, figure?: string): number;
export function checkRatios(ratios: Ratio[], figures: Figures): Checked[];
export function table(
  figures: Figures,
  rows: Checked[],
  beside: Beside,
  missing: ReadonlyMap<string, string>,
): string;
export function page(
  figures: Figures,
  rows: Checked[],
  beside: Beside,
  missing: ReadonlyMap<string, string>,
): string;
