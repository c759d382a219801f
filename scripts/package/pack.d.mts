export function prebuiltPath(): Promise<string>;
export function stage(folder: string): Promise<{ isStandIn: boolean }>;
export interface Packed {
  file: string;
  size: number;
  files: { path: string; size: number }[];
}
export function pack(from: string, into: string): Promise<Packed>;
