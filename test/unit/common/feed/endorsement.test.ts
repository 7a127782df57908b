import { generateKeyPairSync } from 'node:crypto';
import { expect, it } from 'vitest';
import { checkEndorsement, encodeWireItems, endorse } from '../../../../common/feed/endorsement.js';
import { itemToWire } from '../../../../common/feed/item-codec.js';
import { idOfPublicKey } from '../../../../common/ids.js';
import { rawPublicKey } from '../../../../common/receipt.js';
import { Item, type Endorsement } from '../../../../proto/gen/drystone/feed/v1/feed.js';
import { fileOf, itemAt, namespaceIdNamed } from '../../../support/metadata/samples.js';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const namespaceId = namespaceIdNamed('shared');
const wireItems = [itemAt('a'), itemAt('b', { ben: 2 }, fileOf('x', 'y'))].map(itemToWire);
const items = encodeWireItems(wireItems);
const claim = { namespaceId, pushedAtMs: 1_800_000_000_000, items };
const endorsement = endorse(claim, privateKey);

it('says which device pushed the items, and when', () => {
  const device = idOfPublicKey(rawPublicKey(publicKey));
  expect(checkEndorsement(endorsement, { namespaceId, items })).toEqual({ device, pushedAtMs: claim.pushedAtMs });
});

it('holds for the items as they come off the wire, also with fields that this release does not know', () => {
  const received = wireItems.map((item) =>
    Item.decode(Buffer.concat([Item.encode(item).finish(), Buffer.from([0xa8, 0x1f, 0x01])])),
  );
  expect(checkEndorsement(endorsement, { namespaceId, items: encodeWireItems(received) })).toBeDefined();
});

const invalid = { code: 'PERMISSION_DENIED', reason: 'ENDORSEMENT_INVALID' };

it.each<[string, Partial<Endorsement>]>([
  ['another time', { pushedAtMs: 1_800_000_000_001n }],
  ['the key of somebody else', { publicKey: rawPublicKey(generateKeyPairSync('ed25519').publicKey) }],
  ['no key', { publicKey: Buffer.alloc(0) }],
  ['no signature', { signature: Buffer.alloc(0) }],
  ['a longer signature', { signature: Buffer.concat([endorsement.signature, Buffer.alloc(1)]) }],
  ['a changed signature', { signature: Buffer.from(endorsement.signature).fill(0, 0, 1) }],
])('does not hold with %s', (_, change) => {
  const check = () => checkEndorsement({ ...endorsement, ...change }, { namespaceId, items });
  expect(check).toThrow(expect.objectContaining(invalid));
});

it.each<[string, Partial<typeof claim>]>([
  ['in another namespace', { namespaceId: namespaceIdNamed('other') }],
  ['with an item less', { items: items.slice(1) }],
  ['in another order', { items: items.toReversed() }],
  ['where two items are one', { items: [Buffer.concat(items)] }],
  ['without items', { items: [] }],
])('does not hold %s', (_, change) => {
  const check = () => checkEndorsement(endorsement, { namespaceId, items, ...change });
  expect(check).toThrow(expect.objectContaining(invalid));
});

it('refuses a time that is none', () => {
  const check = () => checkEndorsement({ ...endorsement, pushedAtMs: 8_640_000_000_000_001n }, { namespaceId, items });
  expect(check).toThrow(expect.objectContaining({ details: { field: 'endorsement.pushed_at_ms' } }));
});
