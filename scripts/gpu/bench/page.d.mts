import type { Rates } from './cards.mjs';
import type { Measurement } from './figures.mjs';

export interface Result {
  rehearsal: boolean;
  quick: boolean;
  made: string;
  tensorflow: string;
  library: string;
  node: string;
  python: string | undefined;
  machine: { cpu: string; cores: number };
  card: { name: string; driver?: string } | undefined;
  sheet: Rates | undefined;
  flops: Record<string, number>;
  matrix: number;
  peak: Partial<Rates>;
  measurements: Measurement[];
  seen: ({ what: string; error?: string } & Partial<Seen>)[];
  problems: { what: string; error: string; isExpected: boolean }[];
  leftOut: { what: string; why: string; isExpected?: boolean }[];
  seconds: number;
}
export interface Seen {
  kernels: Record<string, number>;
  halves: number;
  clusters: number;
}
export function summaryOf(result: Result): string;
export function pageOf(result: Result, others?: { name: string; file: string }[]): string;
