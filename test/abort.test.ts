import { expect, it } from 'vitest';
import { onAbort } from '../src/abort.js';

it('an abort is heard once, also where another listener stops the event, and not once it was taken back', () => {
  const controller = new AbortController();
  controller.signal.addEventListener('abort', (event) => event.stopImmediatePropagation());
  const heard: string[] = [];
  const stop = onAbort(controller.signal, () => heard.push('first'));
  onAbort(controller.signal, () => heard.push('second'));
  stop();
  stop();
  controller.abort();
  expect(heard).toEqual(['second']);
});
