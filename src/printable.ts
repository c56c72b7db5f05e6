/** Makes text that came from elsewhere safe to show to an operator. */

/** Controls of a terminal, what ends a line, and what turns its direction round: with them a record could rewrite what stands around it. */
const UNPRINTABLE = /[\p{Cc}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** One line in which each of them stands as its number. */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, (found) => `\\u{${found.charCodeAt(0).toString(16)}}`);
}
