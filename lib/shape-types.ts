/** Shapes and their ranks as types. */

/** The number of dimensions of a shape; any where that is not known. */
// biome-ignore lint/suspicious/noExplicitAny: a rank that is not known goes where a certain one is wanted, and back
export type RankOf<S extends readonly number[]> = number extends S['length'] ? any : S['length'];

/** A shape of so many dimensions. */
export type ShapeOf<R extends number, S extends number[] = []> = number extends R
  ? readonly number[]
  : S['length'] extends R
    ? Readonly<S>
    : ShapeOf<R, [...S, number]>;
