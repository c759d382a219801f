// Where TensorFlow ends the process over what it is given, and nothing that is cheap tells before.

/** @type {readonly { at: string, why: string }[]} */
export const KNOWN = [
  {
    at: 'SIGSEGV in _ZNK4mlir10ShapedType14getElementTypeEv',
    why: 'an attribute of a shape that its optimizer imports: one of 10,000 damaged models (seed 2026, number 2104)',
  },
  {
    at: 'tensor.cc:896',
    why: 'an op of a function body is given strings for numbers, which is seen when constants are folded: one of 10,000 (seed 2026, number 9382)',
  },
];
