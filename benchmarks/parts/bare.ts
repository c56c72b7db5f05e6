/** Where the bare calls write, beside whom a bus is measured. */
export const BARE_FILE = 'bare-watched';
export const BARE_STREAM = 'bare:stream';
