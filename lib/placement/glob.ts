/**
 * Globs over the names of ops: `*` stays within a scope, `**` crosses scopes, `?` is one character, and `**` with a
 * slash behind it may stand for nothing at all. They match whole names.
 *
 * Not by RegExp: its time grows with each star as a power of the name's length. Here each star is tried once at each
 * place of a name at most.
 */

type Token = { kind: 'text'; text: string } | { kind: 'one' | 'star' | 'any' | 'scopes' };

/** Whether the text has a character that means something in a glob. */
export function isGlob(text: string): boolean {
  return /[*?]/.test(text);
}

/** Compiles a glob. Matching takes at most time in proportion to the name times the glob, whatever stands in either. */
export function compileGlob(glob: string): (name: string) => boolean {
  const tokens = tokenize(glob);
  const texts = tokens.flatMap((token) => (token.kind === 'text' ? [token.text] : []));
  const isRepeated = tokens.filter(({ kind }) => kind !== 'text' && kind !== 'one').length > 1;
  return (name) => hasTexts(texts, name) && new Match(tokens, name, isRepeated).from(0, 0);
}

function tokenize(glob: string): Token[] {
  const tokens: Token[] = [];
  for (const [part] of glob.matchAll(/\*\*+\/|\*+|\?|[^*?]+/g)) {
    const isStart = tokens.length === 0 || endsScope(tokens.at(-1)!);
    if (part.startsWith('**') && part.endsWith('/') && isStart) tokens.push({ kind: 'scopes' });
    else if (part.startsWith('**')) {
      tokens.push({ kind: 'any' });
      if (part.endsWith('/')) tokens.push({ kind: 'text', text: '/' });
    } else if (part === '*') tokens.push({ kind: 'star' });
    else if (part === '?') tokens.push({ kind: 'one' });
    else tokens.push({ kind: 'text', text: part });
  }
  return tokens;
}

function endsScope(token: Token): boolean {
  return token.kind === 'scopes' || (token.kind === 'text' && token.text.endsWith('/'));
}

/** Whether the texts stand in the name one behind the other, which most names fail, and soon. */
function hasTexts(texts: readonly string[], name: string): boolean {
  let at = 0;
  for (const text of texts) {
    at = name.indexOf(text, at);
    if (at === -1) return false;
    at += text.length;
  }
  return true;
}

/** Reused for all names of ordinary length: an array for each would cost more than the match. */
const scratch = new Uint8Array(4096);

class Match {
  readonly #tokens: readonly Token[];
  readonly #name: string;
  /** By token and place in the name: 1 where what follows the token was tried from there, in vain. */
  readonly #failed: Uint8Array | undefined;

  constructor(tokens: readonly Token[], name: string, isRepeated: boolean) {
    this.#tokens = tokens;
    this.#name = name;
    if (!isRepeated) return; // no place is tried twice then
    const size = tokens.length * (name.length + 1);
    this.#failed = size > scratch.length ? new Uint8Array(size) : scratch.fill(0, 0, size);
  }

  /** Whether the tokens from `t` on match the name from `at` on. */
  from(t: number, at: number): boolean {
    const name = this.#name;
    let place = at;
    for (let i = t; i < this.#tokens.length; i++) {
      const token = this.#tokens[i]!;
      if (token.kind === 'text') {
        if (!name.startsWith(token.text, place)) return false;
        place += token.text.length;
      } else if (token.kind === 'one') {
        if (place === name.length || name[place] === '/') return false;
        place++;
      } else {
        return this.#fromStar(i, token.kind, place);
      }
    }
    return place === name.length;
  }

  /** The same where token `t` takes any number of characters, which decides for all places up to its end at once. */
  #fromStar(t: number, kind: 'star' | 'any' | 'scopes', at: number): boolean {
    const name = this.#name;
    if (t === this.#tokens.length - 1) {
      if (kind === 'any') return true;
      if (kind === 'star') return name.indexOf('/', at) === -1;
    }
    for (let place = at; place <= name.length; place++) {
      if (kind !== 'scopes' || place === 0 || name[place - 1] === '/') {
        const key = t * (name.length + 1) + place;
        // The try that failed from here went on to all places behind, too.
        if (this.#failed?.[key] === 1) return false;
        if (this.from(t + 1, place)) return true;
        if (this.#failed !== undefined) this.#failed[key] = 1;
      }
      if (kind === 'star' && name[place] === '/') return false;
    }
    return false;
  }
}
