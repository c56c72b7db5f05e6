/** The right to cancel and to reduce after the gate was shut: only a shutdown hook holds it, and only while it runs. */

const MARK = Symbol.for('failflat.exitPermit.v1');

export interface ExitPermit {
  readonly [MARK]: true;
  /** True until the hook that was given it has ended or run out of time. */
  valid(): boolean;
}

export interface ExitGrant {
  readonly permit: ExitPermit;
  revoke(): void;
}

export function grantExitPermit(): ExitGrant {
  let held = true;
  return {
    permit: { [MARK]: true, valid: () => held },
    revoke: () => {
      held = false;
    },
  };
}

function isExitPermit(value: unknown): value is ExitPermit {
  return typeof value === 'object' && value !== null && MARK in value && 'valid' in value && typeof value.valid === 'function';
}

/** True for a permit of any installed copy of failflat, while it holds. Anything else is none. */
export function holdsExitPermit(value: unknown): boolean {
  return isExitPermit(value) && value.valid();
}
