type Sorted = Record<'own' | 'glibc' | 'driver' | 'compiler' | 'cuda' | 'strangers', string[]>;
export function sortMaps(text: string, where: { root: string; library: string; node: string }): Sorted;
