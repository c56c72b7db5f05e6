/** Tells at the end how long each part of the tests took, from its first file to its last: the parts run one after the other. */
import type { Reporter, TestModule } from 'vitest/node';
import { systemClock } from '../../src/clock.js';

export class PartTimes implements Reporter {
  readonly #parts = new Map<string, { readonly beganMs: number; endedMs: number; files: number }>();

  onTestModuleStart({ project }: TestModule): void {
    const nowMs = systemClock.monotonicMs();
    if (!this.#parts.has(project.name)) this.#parts.set(project.name, { beganMs: nowMs, endedMs: nowMs, files: 0 });
  }

  onTestModuleEnd({ project }: TestModule): void {
    const part = this.#parts.get(project.name);
    if (part === undefined) return;
    part.endedMs = systemClock.monotonicMs();
    part.files += 1;
  }

  onTestRunEnd(): void {
    const told = [...this.#parts].map(([name, { beganMs, endedMs, files }]) => {
      return `${name} ${((endedMs - beganMs) / 1_000).toFixed(0)} s (${files} files)`;
    });
    console.log(`\nParts: ${told.join(', ')}`);
  }
}
