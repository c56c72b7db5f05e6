/** The two words about orders that travel on the bus as well as to the venue. */

export type Side = 'buy' | 'sell';

/** `net` in one-way mode. In hedge mode a symbol has a long and a short position of its own. */
export type PositionSide = 'net' | 'long' | 'short';
