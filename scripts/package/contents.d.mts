export function contentFaults(packed: { size: number; files: { path: string }[] }, addon: string): string[];
