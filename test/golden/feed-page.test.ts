import { describe, expect, it } from 'vitest';
import { encodeFeedPage } from '../../common/feed-service/encoded-page.js';
import type { FeedSlice } from '../../common/feed-service/feed-source.js';
import type { FeedHistory } from '../../common/feed/feed-history.js';
import { decodeItem } from '../../common/feed/item-codec.js';
import { entryToWire } from '../../common/feed/item-codec.js';
import { FeedPage } from '../../proto/gen/drystone/feed/v1/feed.js';
import { cursor, fileOf, itemAt, newItem } from '../support/metadata/samples.js';

const manyBlocks = Array.from({ length: 300 }, (_, index) => String(index));
const sample = [itemAt('a'), itemAt('ä/b', { ana: 3 }, fileOf('1')), itemAt('c', { ben: 1 }, fileOf(...manyBlocks))];

describe('an encoded feed page', () => {
  it.each<[what: string, cursors: number[], nextCursor: number, caughtUp: boolean]>([
    ['without entries', [], 0, true],
    ['that is not the last', [1], 1, false],
    ['at cursors of one and more bytes', [127, 128, 16_384], 20_000, true],
    ['beyond 32 bits', [2 ** 32 - 1, 2 ** 32, 2 ** 40], 2 ** 40, true],
    ['at the last cursor there can be', [Number.MAX_SAFE_INTEGER], Number.MAX_SAFE_INTEGER, true],
  ])('%s has the bytes that the generated code makes', (_what, cursors, nextCursor, caughtUp) => {
    const entries = cursors.map((at, index) => ({ cursor: cursor(at), item: newItem(sample[index]!).encoded }));
    const slice: FeedSlice = { entries, nextCursor: cursor(nextCursor), caughtUp };
    const generated = FeedPage.encode({
      entries: entries.map((entry) => entryToWire({ cursor: entry.cursor, item: decodeItem(entry.item) })),
      nextCursor: BigInt(nextCursor),
      caughtUp,
    }).finish();
    expect(encodeFeedPage(slice).bytes.toString('hex')).toBe(Buffer.from(generated).toString('hex'));
  });

  it('has the history of its end, as the generated code writes it', () => {
    const history = '0123456789abcdef' as FeedHistory;
    const page = { entries: [], nextCursor: 300n, caughtUp: true, history: Buffer.from(history, 'hex') };
    const { bytes } = encodeFeedPage({ entries: [], nextCursor: cursor(300), caughtUp: true }, history);
    expect(bytes.toString('hex')).toBe(Buffer.from(FeedPage.encode(page).finish()).toString('hex'));
    expect(bytes.toString('hex')).toBe('10ac0218012a080123456789abcdef');
  });
});
