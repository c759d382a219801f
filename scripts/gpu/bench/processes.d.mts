export function printed(
  program: string,
  args: string[],
  options: { env?: Record<string, string | undefined>; seconds: number },
): Promise<{ stdout: string; lines: object[]; failure?: string; isLate: boolean; seconds: number }>;
export function lastWords(stderr: string): string;
