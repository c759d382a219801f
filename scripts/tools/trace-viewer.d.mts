export function traceViewer(): Promise<{ viewer: string; components: string }>;
