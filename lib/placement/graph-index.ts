/** What rules see of a graph: its nodes by number, those of the main graph first, then each function's. */
export interface GraphIndex {
  readonly length: number;
  name(i: number): string;
  /** The op type: `MatMul`. */
  type(i: number): string;
  /** The function in whose body the node stands; `''` in the main graph. */
  function(i: number): string;
  /** The device saved in the model, or `''`. */
  device(i: number): string;
  /** True where the node only saves, restores or initialises. */
  isHousekeeping(i: number): boolean;
}
