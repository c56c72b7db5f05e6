/** What a host lets the rig do: one capability a fault, told by a probe that really did it to a process of its own. */

export const CAPABILITIES = [
  'signals',
  'proc',
  'tcp-proxy',
  'cpu-load',
  'memory-limit',
  'file-size-limit',
  'small-file-system',
  'private-names',
  'network-namespace',
  'packet-drop',
  'time-namespace',
  'wall-clock-shim',
  'redis-server',
  'control-groups',
] as const;
export type CapabilityName = (typeof CAPABILITIES)[number];

/** `needs_root`: it works for root, and this is not root. `absent`: a program or a part of the kernel is missing. `failed`: tried, and not seen. */
export type CapabilityStatus = 'works' | 'needs_root' | 'absent' | 'failed';

export interface ProbeFinding {
  readonly status: CapabilityStatus;
  /** What was seen, or why it does not work and what would help. */
  readonly detail: string;
}

export interface Capability extends ProbeFinding {
  readonly name: CapabilityName;
  /** The fault that it is for. */
  readonly fault: string;
  /** Whether it needs root on every host, and why. */
  readonly root: string;
  readonly tookMs: number;
}
