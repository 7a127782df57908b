import { getEventListeners } from 'node:events';
import { expect, it } from 'vitest';
import { AbortableWaits } from '../../../../common/concurrency/abortable-waits.js';
import { rejection } from '../../../support/async-tools.js';

const never = new Promise<string>(() => undefined);

it('gives what is waited for, or its error, until the signal aborts', async () => {
  const abort = new AbortController();
  const waits = new AbortableWaits(abort.signal);
  expect(await waits.until(Promise.resolve('value'))).toBe('value');
  expect(await rejection(waits.until(Promise.reject(new Error('broken'))))).toMatchObject({ message: 'broken' });
  const parked = waits.until(never);
  abort.abort();
  expect(await parked).toBeUndefined();
  expect(await waits.until(never)).toBeUndefined();
});

it('drops an error that comes after the abort', async () => {
  const abort = new AbortController();
  const waits = new AbortableWaits(abort.signal);
  let fail: (error: Error) => void = () => undefined;
  const parked = waits.until(new Promise((_, reject) => (fail = reject)));
  abort.abort();
  expect(await parked).toBeUndefined();
  fail(new Error('too late'));
});

it('has one listener on the signal, and none after its end', async () => {
  const { signal } = new AbortController();
  const waits = new AbortableWaits(signal);
  for (let round = 0; round < 10; round++) await waits.until(Promise.resolve());
  expect(getEventListeners(signal, 'abort')).toHaveLength(1);
  waits.end();
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
});
