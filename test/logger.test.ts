import { expect, it } from 'vitest';
import { tellAll } from '../src/logger.js';

it('S13: listeners are told each on its own, and one that adds another at each call does not go on for ever', () => {
  const told: string[] = [];
  const listeners = new Set<(word: string) => void>();
  listeners.add(() => {
    throw new Error('listener');
  });
  listeners.add(function again(word) {
    told.push(word);
    listeners.delete(again);
    if (told.length < 1_000) listeners.add(again);
  });
  tellAll(listeners, 'one');
  tellAll(listeners, 'two');
  expect(told).toEqual(['one', 'two']);
});
