import type { Finding } from './campaign.mjs';
export function isFault(finding: Finding): boolean;
