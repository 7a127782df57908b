import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { anySignal } from '../../../../common/concurrency/any-signal.js';
import { collectGarbage } from '../../../support/collect-garbage.js';

it('aborts with the first of its sources', () => {
  const [first, second] = [new AbortController(), new AbortController()];
  const any = anySignal([first.signal, second.signal]);
  expect(any.aborted).toBe(false);
  second.abort();
  expect(any.aborted).toBe(true);
  expect(anySignal([first.signal, any]).aborted, 'made of one that has aborted').toBe(true);
  expect(anySignal([]).aborted).toBe(false);
});

it('has aborted where a source has that nobody else remembers', async () => {
  const lasting = new AbortController();
  const make = (): AbortSignal => {
    const brief = new AbortController();
    const any = anySignal([lasting.signal, brief.signal]);
    brief.abort();
    return any;
  };
  const made = Array.from({ length: 50 }, () => make());
  const madeOfOne = Array.from({ length: 50 }, () => anySignal([make()]));
  for (let round = 0; round < 3; round++) {
    collectGarbage();
    await turn();
  }
  for (const any of [...made, ...madeOfOne]) expect(any.aborted).toBe(true);
});
