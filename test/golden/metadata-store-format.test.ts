import { open } from 'lmdb';
import { describe, expect, it } from 'vitest';
import type { AccountName } from '../../common/ids.js';
import { openLmdbStore } from '../../metadata/store/lmdb-store.js';
import { commitItems, furnish, lisbon, other, porto, shared, storedAt } from '../support/metadata/furnished-store.js';
import { deviceNamed, fileOf, hashNamed, itemAt, replicaNamed } from '../support/metadata/samples.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const RAW = { encoding: 'binary', keyEncoding: 'binary' } as const;
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** All of one database: "key value", in hexadecimal or, for databases of texts, as they are. */
function dump(path: string, name: string, show: (key: Buffer, value: Buffer) => string): string[] {
  const root = open<Buffer, Uint8Array>({ ...RAW, path, readOnly: true, maxDbs: 12, noSubdir: false });
  const entries = [...root.openDB<Buffer, Uint8Array>({ ...RAW, name }).getRange({})];
  void root.close();
  return entries.map(({ key, value }) => show(Buffer.from(key), Buffer.from(value)));
}

const inHex = (key: Buffer, value: Buffer): string => `${hex(key)} ${hex(value)}`;
const valueAsText = (key: Buffer, value: Buffer): string => `${hex(key)} ${value.toString()}`;
const asText = (key: Buffer, value: Buffer): string => `${key.toString()} ${value.toString()}`;

/** The records of docs/storage-format.md, byte by byte: a release that writes others has another format version. */
describe('what the metadata store writes', () => {
  async function written(): Promise<string> {
    const path = temporaryDirectory();
    const store = await openLmdbStore(path);
    await furnish(store);
    const publicKey = Buffer.alloc(32, 1);
    await store.directory.putDevice({
      id: deviceNamed('laptop'),
      account: 'ana' as AccountName,
      publicKey,
      displayName: 'X',
    });
    await commitItems(store, [itemAt('a', { ana: 1 }, fileOf('1')), itemAt('d')], [storedAt(lisbon, '1')]);
    await commitItems(store, [itemAt('a', { ana: 2, ben: 1 }, { kind: 'deletion' })], [storedAt(porto, '1')]);
    await store.close();
    return path;
  }
  const [ana, ben] = [replicaNamed('ana'), replicaNamed('ben')];
  const one = '0000000000000001';
  const three = '0000000000000003';
  /** The entries of a version, in the order of their replicas. */
  const both = [`${ana}0000000000000002`, `${ben}${one}`].sort().join('');
  const placed = (cursor: string): string => `${shared.id}${cursor}`;

  it('about items', async () => {
    const path = await written();
    expect(dump(path, 'feed', inHex)).toEqual([`${placed('0000000000000002')} `, `${placed(three)} `]);
    expect(dump(path, 'heads', inHex).sort()).toEqual(
      [`${shared.id} ${three}${one}0000000000000000`, `${other.id} ${'0'.repeat(48)}`].sort(),
    );
    expect(dump(path, 'paths', inHex)).toEqual([
      `${shared.id}61 ${three}000000000000000000${both}`,
      `${shared.id}64 0000000000000002010000000000000000${ana}${one}`,
    ]);
    expect(dump(path, 'presence', inHex)).toEqual([`${shared.id}${hex(hashNamed('1'))} 00010002`]);
    const entry = (id: string, counter: string): string => `0a24` + `10${counter}` + `1a20${hex(Buffer.from(id))}`;
    const author = `1a20${hex(Buffer.from(deviceNamed('ana')))}`;
    const at = '4a0708e8d795ffbc31';
    const blocks = `22250a20${hex(hashNamed('1'))}12010a`;
    const journal = dump(path, 'journal', inHex);
    expect(journal).toHaveLength(3);
    expect(journal[0]).toBe(
      `${placed(one)} 0a01611226${entry(ana, '01')}${author}2230` + `080a1080a0abfef962${blocks}${at}`,
    );
    expect(journal[1]).toBe(`${placed('0000000000000002')} 0a01641226${entry(ana, '01')}${author}2a00${at}`);
    expect(journal[2]).toMatch(new RegExp(`^${placed(three)} 0a0161124c.*${author}3a00(4001)?${at}$`));
  });

  it('about the directory', async () => {
    const path = await written();
    const row = {
      name: 'shared',
      replicas: 2,
      agents: [lisbon.id, porto.id],
      epoch: 1,
      createdAtMs: 1_700_000_000_000,
    };
    expect(dump(path, 'namespaces', valueAsText)).toContain(`${shared.id} ${JSON.stringify(row)}`);
    expect(dump(path, 'names', (key, value) => `${key.toString()} ${hex(value)}`)).toEqual([
      `other ${other.id}`,
      `shared ${shared.id}`,
    ]);
    const holdings = [lisbon.id + shared.id, lisbon.id + other.id, porto.id + shared.id].map((key) => `${key} `);
    expect(dump(path, 'holdings', inHex)).toEqual(holdings.sort());
    const agent = {
      number: 2,
      publicKey: Buffer.from(porto.row.publicKey).toString('base64'),
      premises: 'porto',
      address: 'porto.example:7411',
      softwareVersion: '1.0',
    };
    expect(dump(path, 'agents', valueAsText)).toContain(`${porto.id} ${JSON.stringify(agent)}`);
    expect(dump(path, 'counters', (key, value) => `${key.toString()} ${hex(value)}`)).toEqual(['agents 00000002']);
    expect(dump(path, 'accounts', asText)).toEqual(['ana {}']);
    const device = { account: 'ana', publicKey: Buffer.alloc(32, 1).toString('base64'), displayName: 'X' };
    expect(dump(path, 'devices', valueAsText)).toEqual([`${deviceNamed('laptop')} ${JSON.stringify(device)}`]);
  });
});
