/**
 * Globs over the names of ops: `*` stays within a scope, `**` crosses scopes, `?` is one character, and `**` with a
 * slash behind it may stand for nothing at all. They match whole names.
 */

type Token = { kind: 'text'; text: string } | { kind: 'one' | 'star' | 'any' | 'scopes' };

/** Whether the text has a character that means something in a glob. */
export function isGlob(text: string): boolean {
  return /[*?]/.test(text);
}

/** Compiles a glob. Matching takes at most time in proportion to the name times the glob, whatever stands in either. */
export function compileGlob(glob: string): (name: string) => boolean {
  const tokens = tokenize(glob);
  return (name) => matches(tokens, name);
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

/** The set of places in the name that the tokens so far can reach, token by token. */
function matches(tokens: readonly Token[], name: string): boolean {
  const { length } = name;
  let reached = new Uint8Array(length + 1);
  reached[0] = 1;
  for (const token of tokens) {
    const next = new Uint8Array(length + 1);
    let open = false;
    let some = false;
    for (let i = 0; i <= length; i++) {
      if (token.kind === 'text') {
        if (reached[i] === 1 && name.startsWith(token.text, i)) next[i + token.text.length] = 1;
      } else if (token.kind === 'one') {
        if (reached[i] === 1 && i < length && name[i] !== '/') next[i + 1] = 1;
      } else if (token.kind === 'scopes') {
        // Nothing, or everything up to and with a slash.
        if (reached[i] === 1 || (open && name[i - 1] === '/')) next[i] = 1;
        open ||= reached[i] === 1;
      } else {
        if (token.kind === 'star' && i > 0 && name[i - 1] === '/') open = false;
        open ||= reached[i] === 1;
        if (open) next[i] = 1;
      }
    }
    for (let i = 0; i <= length && !some; i++) some = next[i] === 1;
    if (!some) return false;
    reached = next;
  }
  return reached[length] === 1;
}
