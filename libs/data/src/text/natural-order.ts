/** A number, or one code point. */
const TOKEN = /[0-9]+|./gsu;

/**
 * chapter_2 before chapter_10: by code points, numbers by their value. It depends on nothing but the
 * strings (no locale, no Unicode tables of this Node), since the order of the files is part of the data.
 */
export function compareNaturally(left: string, right: string): number {
  const tokens = left.match(TOKEN) ?? [];
  const others = right.match(TOKEN) ?? [];
  for (const [index, token] of tokens.entries()) {
    const other = others[index];
    if (other === undefined) return 1;
    const order = compareTokens(token, other);
    if (order !== 0) return order;
  }
  if (tokens.length < others.length) return -1;
  // Only leading zeros are left to differ (01 and 1); the order must be total all the same.
  return left.length - right.length || compareStrings(left, right);
}

function compareTokens(left: string, right: string): number {
  if (!isNumber(left) || !isNumber(right)) {
    return (left.codePointAt(0) ?? 0) - (right.codePointAt(0) ?? 0);
  }
  const [a, b] = [left, right].map((digits) => digits.replace(/^0+/, "")) as [string, string];
  return a.length - b.length || compareStrings(a, b);
}

const isNumber = (token: string): boolean => token >= "0" && token < ":";

function compareStrings(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
