/** Colours for the words that an operator must not overlook. */

const RED = /\b(HALTED|OPEN INCIDENT|NONE SEEN|NO PROGRESS|MISSING|DOES NOT MATCH ITS VENUE|NOT UNDERSTOOD)\b/g;
const YELLOW = /\b(REDUCING|DEGRADED)\b/g;
const GREEN = /\bACTIVE\b/g;

const paint = (code: number) => (word: string) => `\u001b[${code}m${word}\u001b[0m`;

export function highlighted(text: string, colours: boolean): string {
  if (!colours) return text;
  return text.replace(RED, paint(31)).replace(YELLOW, paint(33)).replace(GREEN, paint(32));
}
