/** Calls that wait to go together. */
import type { Tensor } from '../tensor.js';

/** One caller's rows. */
export interface Request {
  /** In the signature's order. */
  readonly inputs: readonly Tensor[];
  readonly rows: number;
  readonly resolve: (outputs: Record<string, Tensor>) => void;
  readonly reject: (reason: unknown) => void;
}

export class Batch {
  /** What rows must have in common with those that are in it. */
  readonly key: string;
  readonly requests: Request[] = [];
  rows = 0;
  /** Takes no more rows. */
  isFull = false;
  /** Its run is under way, or over: the rows of its requests are where they are. */
  hasBegun = false;
  /** When it starts although it is not full, in `performance.now()`'s milliseconds. */
  readonly due: number;

  constructor(key: string, due: number) {
    this.key = key;
    this.due = due;
  }

  add(request: Request): void {
    this.requests.push(request);
    this.rows += request.rows;
  }

  /** False where it is not in it, or cannot be taken out any more. */
  remove(request: Request): boolean {
    if (this.hasBegun) return false;
    const at = this.requests.indexOf(request);
    if (at === -1) return false;
    this.requests.splice(at, 1);
    this.rows -= request.rows;
    return true;
  }
}
