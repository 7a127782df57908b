import { expect, test } from 'vitest';
import { UnwrittenValues } from '../../../../client/state/unwritten-values.js';
import type { ItemPath } from '../../../../common/feed/item.js';

const [A, B] = ['a', 'b'] as [ItemPath, ItemPath];

test('what a transaction has made is told until it is committed, a removal too', () => {
  const values = new UnwrittenValues<number>();
  values.begin(1);
  values.set(A, 1);
  values.set(B, undefined);
  expect([values.get(A), values.get(B)]).toEqual(
    [{ value: 1 }, { value: undefined }].map((made) => expect.objectContaining(made) as unknown),
  );
  values.written(1);
  expect([values.get(A), values.get(B)]).toEqual([undefined, undefined]);
});

test('of a path that a later one has made anew the later stays, however often it was made before', () => {
  const values = new UnwrittenValues<number>();
  values.begin(1);
  values.set(A, 1);
  values.set(B, 1);
  values.begin(2);
  values.set(A, 2);
  values.written(1);
  expect([values.get(A)?.value, values.get(B)]).toEqual([2, undefined]);
  values.written(2);
  expect(values.get(A)).toBeUndefined();
});
