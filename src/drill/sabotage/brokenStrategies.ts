/** Order doors that lack one safeguard. */
import type { Permission } from '../../permission.js';
import { readTradingState } from '../../tradingState/read.js';
import type { StrategySeams } from '../actors/strategy.js';

type BrokenPermission = NonNullable<StrategySeams['permission']>;

export const brokenPermissions: Readonly<Record<string, BrokenPermission>> = {
  /** A flag that is read again and again: it stays as it was last seen when nobody watches any more. */
  'flag-not-lease': (bus, _lease, clock): Permission => {
    let active = false;
    const look = async (): Promise<void> => {
      try {
        active = (await readTradingState(bus)).state.mode === 'ACTIVE';
      } catch {
        // The safeguard that is missing here: doubt keeps the last answer.
      }
      clock.setTimer(10, () => void look(), { keepAlive: false });
    };
    void look();
    return {
      name: 'flag',
      check: () => (active ? undefined : { code: 'trading_halted', source: 'flag', reason: 'trading is not active' }),
    };
  },
};
