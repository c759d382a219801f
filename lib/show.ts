/** Above it an array is told by its length. */
const LONGEST_ARRAY = 1000;

/** A value as error messages show it: JSON where it has that, short, and never an error of its own. */
export function show(value: unknown): string {
  const text = toText(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

function toText(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 60));
  try {
    if (Array.isArray(value) && value.length > LONGEST_ARRAY) return `an array of ${value.length}`;
    return (
      JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? `${inner}n` : inner)) ?? String(value)
    );
  } catch {
    return kindOf(value); // it refers to itself, say
  }
}

function kindOf(value: unknown): string {
  try {
    return Object.prototype.toString.call(value);
  } catch {
    return `a ${typeof value}`; // a proxy that was revoked
  }
}
