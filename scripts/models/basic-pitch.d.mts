export function basicPitch(): Promise<string>;
