import { open } from 'lmdb';
import { describe, expect, it } from 'vitest';
import type { NamespaceName } from '../../common/ids.js';
import type { MetadataStore } from '../../metadata/store/contract.js';
import { treeNames, type TreeName } from '../../metadata/store/lmdb-keys.js';
import { openLmdbStore } from '../../metadata/store/lmdb-store.js';
import {
  ana as anaAccount,
  ben as benAccount,
  commitItems,
  enrollDevice,
  furnish,
  lisbon,
  other,
  porto,
  shared,
  storedAt,
} from '../support/metadata/furnished-store.js';
import {
  auditEntry,
  cursor,
  deviceNamed,
  fileOf,
  hashNamed,
  itemAt,
  replicaNamed,
  SAMPLE_TIME_MS,
  sampleToken,
} from '../support/metadata/samples.js';
import { seededRandom } from '../support/seeded-random.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const RAW = { encoding: 'binary', keyEncoding: 'binary' } as const;
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** All of one database: "key value", in hexadecimal or, for databases of texts, as they are. */
function dump(path: string, name: TreeName, show: (key: Buffer, value: Buffer) => string): string[] {
  const root = open<Buffer, Uint8Array>({ ...RAW, path, readOnly: true, maxDbs: treeNames.length, noSubdir: false });
  const entries = [...root.openDB<Buffer, Uint8Array>({ ...RAW, name }).getRange({})];
  void root.close();
  return entries.map(({ key, value }) => show(Buffer.from(key), Buffer.from(value)));
}

const inHex = (key: Buffer, value: Buffer): string => `${hex(key)} ${hex(value)}`;
const valueAsText = (key: Buffer, value: Buffer): string => `${hex(key)} ${value.toString()}`;
const keyAsText = (key: Buffer, value: Buffer): string => `${key.toString()} ${hex(value)}`;
const asText = (key: Buffer, value: Buffer): string => `${key.toString()} ${value.toString()}`;
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

const WAITING = sampleToken('waiting', { kind: 'device', account: anaAccount });

/** A member, devices, of which one is revoked, a one-time token that waits, and a key of access tokens. */
async function makeTrust(store: MetadataStore): Promise<void> {
  const member = { account: benAccount, role: 'editor' } as const;
  const details = { namespace: 'shared' as NamespaceName, account: benAccount, facts: { role: 'editor' } };
  await store.accounts.putMember(shared.id, member, auditEntry('namespace.share', 'ben', details));
  await enrollDevice(store, benAccount, 'laptop');
  await enrollDevice(store, anaAccount, 'phone');
  await store.accounts.revokeDevice(deviceNamed('phone'), SAMPLE_TIME_MS + 1, auditEntry('device.revoke', 'phone'));
  await store.enrollment.createToken(WAITING, auditEntry('token.issue', 'waiting'));
  const key = { id: 'k1', privateKey: Buffer.from('secret'), createdAtMs: 1, activeFromMs: 2 };
  await store.enrollment.putTokenKey(key, auditEntry('token-key.create', 'k1'));
}

/** The records of docs/storage-format.md, byte by byte: a release that writes others has another format version. */
describe('what the metadata store writes', () => {
  async function written(): Promise<string> {
    const path = temporaryDirectory();
    const store = await openLmdbStore(path, seededRandom(1));
    await furnish(store);
    await makeTrust(store);
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
    const history = hex(seededRandom(1).bytes(8));
    expect(dump(path, 'histories', inHex)).toEqual([`${placed(one)} ${history}`]);
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

  it('about deletions, conflicts, and what replicas have seen', async () => {
    const path = temporaryDirectory();
    const store = await openLmdbStore(path);
    await furnish(store);
    await commitItems(store, [itemAt('a'), itemAt('b', { ana: 1 }, { kind: 'symlink', target: 'x' })]);
    await commitItems(store, [itemAt('b', { ben: 1 }, { kind: 'symlink', target: 'y' })]);
    await commitItems(store, [itemAt('a', { ana: 2 }, { kind: 'deletion' })]);
    await commitItems(store, [itemAt('c')]);
    await store.knowledge.note(shared.id, ana, cursor(4), 0x1234);
    await store.knowledge.compact(shared.id, 0x1234);
    await store.close();
    expect(dump(path, 'tombstones', inHex)).toEqual([`${placed('0000000000000004')} `]);
    expect(dump(path, 'conflicts', inHex)).toEqual([`${placed(three)} `]);
    expect(dump(path, 'replicas', inHex)).toEqual([`${shared.id}${ana} 00000000000000040000000000001234`]);
    const past = { marks: [[5, 0x1234]], forgottenThrough: 0 };
    expect(dump(path, 'pasts', valueAsText)).toEqual([`${shared.id} ${JSON.stringify(past)}`]);
  });

  it('about the directory', async () => {
    const path = await written();
    const row = {
      name: 'shared',
      replicas: 2,
      agents: [lisbon.id, porto.id],
      epoch: 1,
      createdAtMs: SAMPLE_TIME_MS,
    };
    expect(dump(path, 'namespaces', valueAsText)).toContain(`${shared.id} ${JSON.stringify(row)}`);
    expect(dump(path, 'names', keyAsText)).toEqual([`other ${other.id}`, `shared ${shared.id}`]);
    const holdings = [lisbon.id + shared.id, lisbon.id + other.id, porto.id + shared.id].map((key) => `${key} `);
    expect(dump(path, 'holdings', inHex)).toEqual(holdings.sort());
    const agent = {
      number: 2,
      publicKey: base64(porto.row.publicKey),
      premises: 'porto',
      enrolledAtMs: SAMPLE_TIME_MS,
      address: 'porto.example:7411',
      softwareVersion: '1.0',
    };
    expect(dump(path, 'agents', valueAsText)).toContain(`${porto.id} ${JSON.stringify(agent)}`);
    expect(dump(path, 'counters', keyAsText)).toEqual([
      'agents 0000000000000002',
      'audit 0000000000000010',
      'waitingTokens 0000000000000001',
    ]);
  });

  it('about accounts, devices and members', async () => {
    const path = await written();
    expect(dump(path, 'accounts', asText)).toEqual([
      `ana {"role":"administrator","createdAtMs":${SAMPLE_TIME_MS}}`,
      `ben {"role":"member","createdAtMs":${SAMPLE_TIME_MS}}`,
    ]);
    const [laptop, phone] = [deviceNamed('laptop'), deviceNamed('phone')];
    const device = (account: string, displayName: string) =>
      `{"account":"${account}","displayName":"${displayName}","enrolledAtMs":${SAMPLE_TIME_MS}`;
    expect(dump(path, 'devices', valueAsText).sort()).toEqual(
      [
        `${laptop} ${device('ben', 'laptop')}}`,
        `${phone} ${device('ana', 'phone')},"revokedAtMs":${SAMPLE_TIME_MS + 1}}`,
      ].sort(),
    );
    const [ofAna, ofBen] = ['616e6100', '62656e00'];
    expect(dump(path, 'accountDevices', inHex)).toEqual([`${ofAna}${phone} `, `${ofBen}${laptop} `]);
    expect(dump(path, 'members', inHex).sort()).toEqual(
      [`${shared.id}616e61 03`, `${shared.id}62656e 02`, `${other.id}616e61 03`].sort(),
    );
    const memberships = [`${ofAna}${shared.id} `, `${ofAna}${other.id} `, `${ofBen}${shared.id} `];
    expect(dump(path, 'memberships', inHex)).toEqual(memberships.sort());
  });

  it('about tokens', async () => {
    const path = await written();
    const ofPorto = sampleToken(`of agent ${porto.id}`, { kind: 'agent', premises: porto.row.premises });
    const record = (row: typeof ofPorto, subject: string) =>
      `${row.id} {"secretHash":"${base64(row.secretHash)}","subject":${subject},"expiresAtMs":${SAMPLE_TIME_MS + 3_600_000}`;
    const tokens = dump(path, 'tokens', valueAsText);
    expect(tokens).toHaveLength(5);
    expect(tokens).toContain(`${record(WAITING, '{"kind":"device","account":"ana"}')}}`);
    const ofAgent = record(ofPorto, '{"kind":"agent","premises":"porto"}');
    expect(tokens).toContain(`${ofAgent},"redeemedBy":"${porto.id}"}`);
    const expiries = dump(path, 'tokenExpiries', inHex);
    expect(expiries).toHaveLength(5);
    expect(expiries).toContain(`0000018bd01c5680${WAITING.id} `);
    expect(dump(path, 'accountTokens', inHex)).toEqual([`616e6100${WAITING.id} `]);
    const key = `{"privateKey":"${base64(Buffer.from('secret'))}","createdAtMs":1,"activeFromMs":2}`;
    expect(dump(path, 'tokenKeys', asText)).toEqual([`k1 ${key}`]);
  });

  it('about what was done', async () => {
    const log = dump(await written(), 'audit', valueAsText);
    expect(log).toHaveLength(16);
    const entry = (action: string, subject: string) =>
      `{"atMs":${SAMPLE_TIME_MS},"actor":"metadata","action":"${action}","subject":"${subject}"`;
    expect(log[0]).toBe(`${one} ${entry('account.create', 'ana')},"facts":{}}`);
    const shareEntry = `${entry('namespace.share', 'ben')},"namespace":"shared","account":"ben","facts":{"role":"editor"}}`;
    expect(log[8]).toBe(`0000000000000009 ${shareEntry}`);
  });
});
