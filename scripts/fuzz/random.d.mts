export type Random = (limit: number) => number;
export function randomSource(seed: number): Random;
export function mutated(bytes: Uint8Array, random: Random): Uint8Array;
