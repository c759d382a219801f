/** Whether ArrayBuffers of this thread may stand on memory from outside of V8's heap: what `tensorflow.open` was told. */

let allowed = true;

/** Sets it for this thread, whose every later run and `Tensor.allocate` heeds it. */
export function allowExternalBuffers(allow: boolean): void {
  allowed = allow;
}

/** False where the user forbade them. True does not mean that the runtime takes them. */
export function externalBuffersAllowed(): boolean {
  return allowed;
}
