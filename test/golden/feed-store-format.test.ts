import { open } from 'lmdb';
import { expect, it } from 'vitest';
import { treeNames } from '../../agent/feed/lmdb-feed-layout.js';
import { openLmdbFeedStore } from '../../agent/feed/lmdb-feed-store.js';
import type { FeedHistory } from '../../common/feed/feed-history.js';
import { other, pushOf, shared } from '../support/agent/feed-samples.js';
import { cursor, fileOf, itemAt, newItem } from '../support/metadata/samples.js';
import { seededRandom } from '../support/seeded-random.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const RAW = { encoding: 'binary', keyEncoding: 'binary' } as const;
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** The records of docs/storage-format.md, byte by byte: a release that writes others has another format version. */
it('what the feed store writes', async () => {
  const path = temporaryDirectory();
  const store = await openLmdbFeedStore(path, seededRandom(1));
  const followedHistory = '0123456789abcdef' as FeedHistory;
  const items = [newItem(itemAt('a', { ana: 1 }, fileOf('x')))];
  await store.follow(other, { items: [], followed: cursor(300), followedHistory });
  await store.follow(shared, { items, followed: cursor(300) });
  await store.push(shared, pushOf([itemAt('a/b')]));
  await store.close();
  const root = open<Buffer, Uint8Array>({ ...RAW, path, readOnly: true, maxDbs: treeNames.length, noSubdir: false });
  const dump = treeNames.map((name) => {
    const entries = [...root.openDB<Buffer, Uint8Array>({ ...RAW, name }).getRange({})];
    return [name, ...entries.map(({ key, value }) => `${hex(key)} ${hex(value)}`)];
  });
  await root.close();
  expect(dump).toMatchInlineSnapshot(`
    [
      [
        "heads",
        "453f534b69f35d53a8041f39ce13e115 000000000000000000000000000000000000000000000000000000000000012c0000000000000000000000000000000000000000000000000123456789abcdef",
        "5e9156141bf55735345dd6470d99c4c6 00000000000000020000000000000002000000000000000a000000000000012c00000000000000010000000000000001000000000000007e",
      ],
      [
        "feed",
        "5e9156141bf55735345dd6470d99c4c60000000000000001 0a016112260a2410011a2064626335613033363936656431396566326266343831646563646137646264371a2066663363313838613766633132386330383366626433333865363763396264392230080a1080a0abfef96222250a2069112e6108c81bd87a1803332353ad65a814d511ebe9197167d3053bd69dcecb12010a4a0708e8d795ffbc31",
        "5e9156141bf55735345dd6470d99c4c60000000000000002 0a03612f6212260a2410011a2064626335613033363936656431396566326266343831646563646137646264371a2066663363313838613766633132386330383366626433333865363763396264392a004a0708e8d795ffbc31",
      ],
      [
        "paths",
        "5e9156141bf55735345dd6470d99c4c661 000000000000000101000000000000000adbc5a03696ed19ef2bf481decda7dbd70000000000000001",
        "5e9156141bf55735345dd6470d99c4c6612f62 0000000000000002010000000000000000dbc5a03696ed19ef2bf481decda7dbd70000000000000001",
      ],
      [
        "log",
        "5e9156141bf55735345dd6470d99c4c60000000000000001 0a203565393135363134316266353537333533343564643634373064393963346336125a0a03612f6212260a2410011a2064626335613033363936656431396566326266343831646563646137646264371a2066663363313838613766633132386330383366626433333865363763396264392a004a0708e8d795ffbc31",
      ],
      [
        "histories",
        "5e9156141bf55735345dd6470d99c4c60000000000000001 9a5a3a81c0371fcb",
      ],
    ]
  `);
});
