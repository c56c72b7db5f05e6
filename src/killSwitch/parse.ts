/** Decides what a text says of the switch: exactly one token is off, another halts, and everything else is doubt, which halts too. */

/** Each of these alone, in any case, with white space around it or not, says that orders may pass. Nothing else does. */
export const OFF_TOKENS: readonly string[] = ['0', 'false', 'no', 'off'];
/** Each of these says halted. Other texts halt as well: these are the ones that do so without a doubt. */
export const HALTED_TOKENS: readonly string[] = ['1', 'true', 'yes', 'on'];

/** How much of a text is told: whoever names the wrong file must not find all of it in a log. */
const SHOWN_CHARACTERS = 20;

/** What a text says. `reason` goes on from the name of where it was found: `EXECUTION_HALTED says "1"`. */
export type Word = { readonly says: 'off' } | { readonly says: 'halted' | 'doubt'; readonly reason: string };

const OFF: Word = { says: 'off' };
const doubt = (reason: string): Word => ({ says: 'doubt', reason });

// Not `trim()`, which takes away byte-order marks and spaces of other scripts as well.
function trimmed(text: string): string {
  return text.replace(/^[\t\n\f\r ]+/, '').replace(/[\t\n\f\r ]+$/, '');
}

function shown(text: string): string {
  return JSON.stringify(text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text);
}

/** The whole of `text` must be one token. Letters outside of ASCII are never part of one, whatever their lower case is. */
export function parseWord(text: string): Word {
  if (text === '') return doubt('is empty');
  if (text.startsWith('\uFEFF')) return doubt('begins with a byte-order mark');
  const token = trimmed(text);
  if (token === '') return doubt('is blank');
  const lower = token.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  if (OFF_TOKENS.includes(lower)) return OFF;
  if (HALTED_TOKENS.includes(lower)) return { says: 'halted', reason: `says ${shown(token)}` };
  return doubt(`says ${shown(token)}, which is not one of ${OFF_TOKENS.join(', ')}`);
}
