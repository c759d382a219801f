export function startTensorBoard(folder: string): Promise<{ url: string; stop(): void }>;
