/** The command line cannot be understood, the files that its options name included: exit status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
