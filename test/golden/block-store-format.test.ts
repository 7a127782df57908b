import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from 'lmdb';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../../common/clock.js';
import { openLmdbBlockStore } from '../../server/lmdb-block-store.js';
import { blockOf, NAMESPACE, OTHER_NAMESPACE } from '../support/blocks/sample-blocks.js';

const RAW = { encoding: 'binary', keyEncoding: 'binary' } as const;
let directory = '';

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'drystone-format-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

/** Everything that is stored, as an operator's tool without our code would see it. */
async function recordsIn(path: string): Promise<Record<string, string[]>> {
  const environment = open<Buffer, Uint8Array>({ ...RAW, path, noSubdir: false, readOnly: true });
  const records: Record<string, string[]> = {};
  for (const key of [...environment.getKeys()]) {
    // LMDB's binding ends the names of databases with a NUL.
    const name = Buffer.from(key).toString('latin1').replace(/\0$/, '');
    const database = environment.openDB<Buffer, Uint8Array>({ ...RAW, name });
    records[name] = [...database.getRange()].map(
      ({ key, value }) => `${Buffer.from(key).toString('hex')} = ${value.toString('hex')}`,
    );
  }
  await environment.close();
  return records;
}

/** The stored format that docs/storage-format.md describes: a change here needs a new format version. */
it('a block store holds contents, references and totals in this form', async () => {
  const path = join(directory, 'blocks');
  const store = await openLmdbBlockStore({ path, clock: systemClock });
  const [shared, single] = [blockOf('shared'), blockOf('single!')];
  await store.put(NAMESPACE, [shared, single]);
  await store.put(OTHER_NAMESPACE, [shared]);
  await store.close();
  expect(await recordsIn(path)).toMatchInlineSnapshot(`
    {
      "blocks": [
        "15923a18888b4b32d2afa0e8e4c047a53d1504a4b0493be828273a0ef50bc0f8 = 73696e676c6521",
        "a4d26868017c0ccffe2efe50944ef4211834660cca834c6e9f86dec6a88246fa = 736861726564",
      ],
      "references": [
        "00112233445566778899aabbccddeeff15923a18888b4b32d2afa0e8e4c047a53d1504a4b0493be828273a0ef50bc0f8 = 00000007",
        "00112233445566778899aabbccddeeffa4d26868017c0ccffe2efe50944ef4211834660cca834c6e9f86dec6a88246fa = 00000006",
        "ffeeddccbbaa99887766554433221100a4d26868017c0ccffe2efe50944ef4211834660cca834c6e9f86dec6a88246fa = 00000006",
      ],
      "totals": [
        "626c6f636b73 = 00000000000000400000000000000002000000000000000d",
      ],
    }
  `);
});
