// Where TensorFlow ends the process over what it is given, and nothing that is cheap tells before.

/** @type {readonly { at: string, why: string }[]} */
export const KNOWN = [];
