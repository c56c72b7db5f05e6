// What an order looks like from outside, and how it goes to the venue.
const symbol = { type: 'string', minLength: 1 };

export const orderSchema = {
  body: {
    type: 'object',
    additionalProperties: false,
    required: ['clientOrderId', 'symbol', 'side', 'quantity'],
    properties: {
      // The caller's own: the one thing by which an order can be found again, and told from a second one.
      clientOrderId: { type: 'string', minLength: 1, maxLength: 100, pattern: '^[A-Za-z0-9._-]+$' },
      symbol,
      side: { enum: ['buy', 'sell'] },
      quantity: { type: 'number', exclusiveMinimum: 0 },
      limitPrice: { type: 'number', exclusiveMinimum: 0 },
      reduceOnly: { type: 'boolean', default: false },
    },
  },
};

export const cancelSchema = {
  querystring: { type: 'object', additionalProperties: false, required: ['symbol'], properties: { symbol } },
};

export function orderFrom(body) {
  return { ...body, positionSide: 'net', type: body.limitPrice === undefined ? 'market' : 'limit' };
}
