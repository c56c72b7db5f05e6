// The same strategy, mended: the n-th share has the n-th id, in every attempt and in every life, so that the venue takes it once.
export async function buyer({ submit, clock, signal }) {
  let held = 0;
  while (held < 10 && !signal.aborted) {
    await clock.sleep(500, signal);
    try {
      await submit({ ...share, clientOrderId: `buy-${held + 1}` });
      held += 1;
    } catch (error) {
      // The venue knows this share from an attempt that nobody heard of again.
      if (error.reason === 'duplicate_client_order_id') held += 1;
    }
  }
}

const share = { symbol: 'AAPL', positionSide: 'net', side: 'buy', type: 'market', quantity: 1, reduceOnly: false };
