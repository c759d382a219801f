export interface Ratio {
  what: string;
  of: string;
  to: string[];
  figure?: string;
  most?: number;
  least?: number;
}
export const MODELS: Record<string, object>;
export const MEASUREMENTS: Record<string, object>;
export const RATIOS: Ratio[];
export const PEERS: (Record<string, string> & { model: string })[];
