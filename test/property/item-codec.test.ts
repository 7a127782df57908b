import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DrystoneError } from '../../common/errors.js';
import {
  decodeItem,
  encodeItem,
  entryFromWire,
  entryToWire,
  itemFromWire,
  itemToWire,
} from '../../common/feed/item-codec.js';
import type { Item, ItemState } from '../../common/feed/item.js';
import type { Cursor } from '../../common/ids.js';
import { FeedEntry } from '../../proto/gen/drystone/feed/v1/feed.js';
import { items } from '../support/feed-arbitraries.js';

/** The same item with its hashes as one kind of bytes. */
const plain = (item: Item): unknown => [plainState(item), item.rivals.map(plainState)];

function plainState<State extends ItemState>(state: State): unknown {
  const { content } = state;
  if (content.kind !== 'file') return state;
  return { ...state, content: { ...content, blocks: { ...content.blocks, hashes: [...content.blocks.hashes] } } };
}

describe('items', () => {
  it('come back as they were from the wire and from stores', () => {
    fc.assert(
      fc.property(items, (item) => {
        expect(plain(itemFromWire('item', itemToWire(item)))).toEqual(plain(item));
        expect(plain(decodeItem(encodeItem(item)))).toEqual(plain(item));
      }),
    );
  });

  it('have one encoding each', () => {
    fc.assert(
      fc.property(items, (item) => Buffer.from(encodeItem(decodeItem(encodeItem(item)))).equals(encodeItem(item))),
    );
  });

  it('come back with their cursors', () => {
    fc.assert(
      fc.property(items, fc.maxSafeNat(), (item, cursor) => {
        const encoded = FeedEntry.encode(entryToWire({ cursor: cursor as Cursor, item })).finish();
        const entry = entryFromWire('entries[0]', FeedEntry.decode(encoded));
        expect(entry.cursor).toBe(cursor);
        expect(plain(entry.item)).toEqual(plain(item));
      }),
    );
  });

  it('of damaged bytes are an error of ours, or another item, and never a crash', () => {
    fc.assert(
      fc.property(items, fc.nat(), fc.nat({ max: 255 }), (item, at, value) => {
        const damaged = Buffer.from(encodeItem(item));
        damaged[at % damaged.length] = value;
        try {
          decodeItem(damaged);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(DrystoneError);
          expect(thrown).toMatchObject({ code: 'DATA_LOSS', reason: 'STORE_FAILED' });
        }
      }),
    );
  });

  it('of any bytes are an error of ours, or an item', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          decodeItem(bytes);
        } catch (thrown) {
          expect(thrown).toMatchObject({ code: 'DATA_LOSS' });
        }
      }),
    );
  });
});
