export type Device = 'CPU' | 'GPU';
export interface Case {
  name: string;
  who: string;
  model: string;
  device: Device;
  variant: string;
  batches: number[];
}
export const MODELS: Record<string, string>;
export const VARIANTS: Record<string, object>;
export function configOf(variant: string, device: Device, rehearse: boolean): object;
export function planOf(options: { quick?: boolean; rehearse?: boolean; only?: string[]; most?: number }): {
  groups: { rounds: number; cases: Case[] }[];
  seconds: number;
  budget: number;
  limitMs: number;
  matrix: number;
};
