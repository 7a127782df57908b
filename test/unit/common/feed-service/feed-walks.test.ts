import { expect, test } from 'vitest';
import { FeedWalks } from '../../../../common/feed-service/feed-walks.js';
import type { Cursor, NamespaceId } from '../../../../common/ids.js';

const NAMESPACE = 'a'.repeat(32) as NamespaceId;
const cursor = (value: number): Cursor => value as Cursor;

test('who begins at 0 is known at every page until where the feed ended then', () => {
  const walks = new FeedWalks(10);
  const at = (reader: string, after: number): Cursor | undefined => {
    return walks.begunAt(NAMESPACE, reader, cursor(after), cursor(9));
  };
  expect(at('ana', 0)).toBe(9);
  walks.moved(NAMESPACE, 'ana', cursor(4), at('ana', 0));
  expect(at('ana', 4)).toBe(9);
  expect(at('ben', 4)).toBeUndefined();
  expect(at('ana', 5)).toBeUndefined();
  walks.moved(NAMESPACE, 'ana', cursor(9), at('ana', 4));
  expect(at('ana', 9), 'it is like any other now').toBeUndefined();
  walks.moved(NAMESPACE, 'ben', cursor(5), at('ben', 4));
  expect(at('ben', 5)).toBeUndefined();
});

test('only so many are remembered, those that moved last', () => {
  const walks = new FeedWalks(2);
  for (const reader of ['ana', 'ben', 'ana', 'cy']) walks.moved(NAMESPACE, reader, cursor(1), cursor(5));
  const known = ['ana', 'ben', 'cy'].filter(
    (reader) => walks.begunAt(NAMESPACE, reader, cursor(1), cursor(5)) !== undefined,
  );
  expect(known).toEqual(['ana', 'cy']);
});

test('of two that stand at one place, the one that began first counts', () => {
  const walks = new FeedWalks(10);
  for (const begunAt of [5, 8, 6]) walks.moved(NAMESPACE, 'ana', cursor(1), cursor(begunAt));
  expect(walks.begunAt(NAMESPACE, 'ana', cursor(1), cursor(9))).toBe(5);
});
