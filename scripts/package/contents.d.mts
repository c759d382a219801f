export function contentFaults(packed: { size: number; files: { path: string }[] }): string[];
