export interface Finding {
  kind: string;
  number: number;
  what: 'foreign' | 'hang' | 'slow' | 'memory' | 'death';
  way: string;
  at?: string;
  isOurs?: boolean;
  isKnown?: boolean;
  text: string;
}
export function campaign(options: {
  kind: string;
  seed: number;
  count: number;
  first?: number;
  allWays?: boolean;
  children?: number;
}): Promise<{
  kind: string;
  inputs: number;
  ends: Record<string, Record<string, number>>;
  found: Finding[];
}>;
export class Child {
  constructor(folder: string);
  give(input: { path: string; kind: string; ways: readonly string[] }): Promise<{
    ends: Record<string, string>;
    what?: string;
    death?: { at: string; isOurs: boolean; text: string };
  }>;
  end(): Promise<void>;
}
