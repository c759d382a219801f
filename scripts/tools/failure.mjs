// How the scripts end when something is wrong that their user can mend: one message, no stack.

/** Something that is not a mistake of the scripts: the message says what to do. */
export class Failure extends Error {
  name = 'Failure';
}

/**
 * Runs a script's main function and sets the exit status: 1 for a failure, 2 for wrong usage.
 *
 * @param {() => Promise<void>} work
 * @param {string} [usage] Shown with errors of usage.
 */
export async function main(work, usage) {
  try {
    await work();
  } catch (error) {
    const isUsage = typeof error?.code === 'string' && error.code.startsWith('ERR_PARSE_ARGS');
    const isExpected = isUsage || error instanceof Failure || error?.name === 'TensorFlowError';
    console.error(isExpected ? error.message : error);
    if (isUsage && usage !== undefined) console.error(`\n${usage}`);
    process.exitCode = isUsage ? 2 : 1;
  }
}
