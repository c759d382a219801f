// What cards can do by NVIDIA's data sheets: dense products on the tensor cores in 10^12 operations a second, adding up in
// float32. Where a sheet gives figures for sparse matrices, half of them. `float32` is TF32; cards before Ampere have none, and
// there it is float32 itself.

/** The first that matches the name that the driver gives. */
const CARDS = [
  [/\bH200 NVL\b/, { float32: 417.5, float16: 835.5 }],
  [/\bH200\b/, { float32: 494.5, float16: 989.5 }],
  [/\bH100 PCIe\b/, { float32: 378, float16: 756.5 }],
  [/\bH100 NVL\b/, { float32: 417.5, float16: 835.5 }],
  [/\bH100\b/, { float32: 494.5, float16: 989.5 }],
  [/\bA100\b/, { float32: 156, float16: 312 }],
  [/\bL40S\b/, { float32: 183, float16: 362 }],
  [/\bL4\b/, { float32: 60, float16: 121 }],
  [/\bA10\b/, { float32: 62.5, float16: 125 }],
  [/\bT4\b/, { float32: 8.1, float16: 65 }],
  [/\bV100S\b/, { float32: 16.4, float16: 130 }],
  [/\bV100-PCIE\b/, { float32: 14, float16: 112 }],
  [/\bV100\b/, { float32: 15.7, float16: 125 }],
  [/\bRTX 4090\b(?! (?:D|Laptop))/, { float32: 82.6, float16: 165.2 }],
  [/\bRTX 3090\b(?! Ti)/, { float32: 35.6, float16: 71 }],
];

/**
 * @param {string | undefined} name
 * @returns {{ float32: number, float16: number } | undefined} Operations a second.
 */
export function sheetOf(name) {
  const found = name === undefined ? undefined : CARDS.find(([pattern]) => pattern.test(name));
  return found && { float32: found[1].float32 * 1e12, float16: found[1].float16 * 1e12 };
}
