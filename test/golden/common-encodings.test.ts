import { describe, expect, it } from 'vitest';
import { DrystoneError, overloaded, type ErrorDetails } from '../../common/errors.js';
import { hashBlockSync } from '../../common/block-hash.js';
import { endorse, endorsementBytes } from '../../common/feed/endorsement.js';
import { encodeItem } from '../../common/feed/item-codec.js';
import type { Item, ItemPath } from '../../common/feed/item.js';
import { itemOf } from '../../common/feed/merge.js';
import type { AgentId, DeviceId, NamespaceId, ReplicaId } from '../../common/ids.js';
import { receiptBytes, signReceipt, privateKeyOfPem } from '../../common/receipt.js';
import { statusOfError } from '../../common/rpc/status.js';

/** The private key of the bytes 00 01 … 1f. */
const KEY =
  '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n-----END PRIVATE KEY-----\n';
const DEVICE = '0123456789abcdef0123456789abcdef' as DeviceId;
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** What stores of other releases hold and other programs read: it never changes. */
describe('an item as stores keep it', () => {
  const version = [
    { replicaId: '00112233445566778899aabbccddeeff' as ReplicaId, counter: 300 },
    { replicaId: 'ffeeddccbbaa99887766554433221100' as ReplicaId, counter: 2 },
  ];
  const head = {
    version,
    change: version[1]!,
    at: { wallMs: 1_800_000_000_000, logical: 3 },
    author: DEVICE,
    rivals: [],
  };
  const file: Item = {
    ...head,
    path: 'docs/Größe.txt' as ItemPath,
    content: {
      kind: 'file',
      sizeBytes: 5,
      modifiedAtMs: -1,
      executable: true,
      blocks: { hashes: hashBlockSync(Buffer.from('stone')), sizes: [5] },
    },
  };
  const others: Item[] = [
    { ...head, path: 'a' as ItemPath, content: { kind: 'directory' } },
    { ...head, path: 'b' as ItemPath, content: { kind: 'symlink', target: '../c' } },
    { ...head, path: 'c' as ItemPath, content: { kind: 'deletion' } },
  ];
  const rival = { change: version[0]!, at: { wallMs: 1, logical: 0 }, author: DEVICE, content: file.content };

  it('a file', () => {
    expect(hex(encodeItem(file))).toMatchInlineSnapshot(
      `"0a10646f63732f4772c3b6c39f652e747874124d0a2510ac021a2030303131323233333434353536363737383839396161626263636464656566660a2410021a2066666565646463636262616139393838373736363535343433333232313130301a203031323334353637383961626364656630313233343536373839616263646566222d08051001180122250a20dc3d50da8dac041f660e4ba85339928995e771d99c33cc868f5829800829e38212010540014a090880a0f1c2b1341003"`,
    );
  });

  it('a directory, a symlink, a deletion', () => {
    expect(others.map((item) => hex(encodeItem(item)))).toMatchInlineSnapshot(`
      [
        "0a0161124d0a2510ac021a2030303131323233333434353536363737383839396161626263636464656566660a2410021a2066666565646463636262616139393838373736363535343433333232313130301a2030313233343536373839616263646566303132333435363738396162636465662a0040014a090880a0f1c2b1341003",
        "0a0162124d0a2510ac021a2030303131323233333434353536363737383839396161626263636464656566660a2410021a2066666565646463636262616139393838373736363535343433333232313130301a20303132333435363738396162636465663031323334353637383961626364656632060a042e2e2f6340014a090880a0f1c2b1341003",
        "0a0163124d0a2510ac021a2030303131323233333434353536363737383839396161626263636464656566660a2410021a2066666565646463636262616139393838373736363535343433333232313130301a2030313233343536373839616263646566303132333435363738396162636465663a0040014a090880a0f1c2b1341003",
      ]
    `);
  });

  it('with a rival', () => {
    expect(hex(encodeItem({ ...others[0]!, rivals: [rival] }))).toMatchInlineSnapshot(
      `"0a0161124d0a2510ac021a2030303131323233333434353536363737383839396161626263636464656566660a2410021a2066666565646463636262616139393838373736363535343433333232313130301a2030313233343536373839616263646566303132333435363738396162636465662a0040014a090880a0f1c2b13410035255120208011a203031323334353637383961626364656630313233343536373839616263646566222d08051001180122250a20dc3d50da8dac041f660e4ba85339928995e771d99c33cc868f5829800829e382120105"`,
    );
  });

  it('of which nothing is left', () => {
    expect(hex(encodeItem(itemOf('d' as ItemPath, version, [])))).toMatchInlineSnapshot(
      `"0a0164124d0a2510ac021a2030303131323233333434353536363737383839396161626263636464656566660a2410021a2066666565646463636262616139393838373736363535343433333232313130301a2030303030303030303030303030303030303030303030303030303030303030303a00"`,
    );
  });
});

describe('a receipt', () => {
  const claim = {
    agentId: 'ffeeddccbbaa99887766554433221100' as AgentId,
    namespaceId: '00112233445566778899aabbccddeeff' as NamespaceId,
    issuedAtMs: 1_800_000_000_000,
    hashes: hashBlockSync(Buffer.from('stone')),
  };

  it('is signed over these bytes', () => {
    expect(hex(receiptBytes(claim))).toMatchInlineSnapshot(
      `"64727973746f6e65207265636569707420763100ffeeddccbbaa9988776655443322110000112233445566778899aabbccddeeff000001a3185c50002847146788b46413d237dbb9e66c5b257e1d06a2359439deef9c5ca457074a71"`,
    );
  });

  it('has this signature', () => {
    expect(hex(signReceipt(claim, privateKeyOfPem(KEY)).signature)).toMatchInlineSnapshot(
      `"0f233797f7c39220147c0f1976bfe8239f3e639fb7f900cdb1fae3aed79ff6af3f3e38de320999d1a303885d63690576cf53051d3d929887315c50560c9aea04"`,
    );
  });
});

describe('an endorsement', () => {
  const claim = {
    namespaceId: '00112233445566778899aabbccddeeff' as NamespaceId,
    pushedAtMs: 1_800_000_000_000,
    items: ['dry', 'stone'].map((text) => Buffer.from(text)),
  };

  it('is signed over these bytes', () => {
    expect(hex(endorsementBytes(claim))).toMatchInlineSnapshot(
      `"64727973746f6e6520707573682076310000112233445566778899aabbccddeeff000001a3185c500001a4416a50281bfcd4ec30b5ad87ba1aef1118209dbde520981c68f37ceb68d2"`,
    );
  });

  it('has this key and signature', () => {
    const { publicKey, signature } = endorse(claim, privateKeyOfPem(KEY));
    expect([hex(publicKey), hex(signature)]).toMatchInlineSnapshot(`
      [
        "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8",
        "a932e27431dd4c74fff5e44f3e5bd5611fd86994aab7eb6d52be4e5f6bf4c04563cc3788e7308f7f3c128a07d1ca4640b7318cd6d0a59ba543482e7da8667001",
      ]
    `);
  });
});

describe('an error on the wire', () => {
  const encoded = (error: DrystoneError): unknown => {
    const { code, details, metadata } = statusOfError(error);
    return { code, details, status: hex(metadata.get('grpc-status-details-bin')[0] as Buffer) };
  };

  it('with a retry delay', () => {
    expect(encoded(overloaded('too many streams', 1500))).toMatchInlineSnapshot(`
      {
        "code": 8,
        "details": "too many streams; try again in 1500 ms",
        "status": "08081226746f6f206d616e792073747265616d733b2074727920616761696e20696e2031353030206d731a420a28747970652e676f6f676c65617069732e636f6d2f676f6f676c652e7270632e4572726f72496e666f12160a0a4f5645524c4f41444544120864727973746f6e651a360a28747970652e676f6f676c65617069732e636f6d2f676f6f676c652e7270632e5265747279496e666f120a0a0808011080cab5ee01",
      }
    `);
  });

  it('with a field and facts', () => {
    const details: ErrorDetails = { field: 'items[3].path', facts: { path: 'a//b' } };
    expect(encoded(new DrystoneError('INVALID_ARGUMENT', 'FIELD_INVALID', 'must not', details))).toMatchInlineSnapshot(`
      {
        "code": 3,
        "details": "must not",
        "status": "080312086d757374206e6f741a530a28747970652e676f6f676c65617069732e636f6d2f676f6f676c652e7270632e4572726f72496e666f12270a0d4649454c445f494e56414c4944120864727973746f6e651a0c0a04706174681204612f2f621a480a29747970652e676f6f676c65617069732e636f6d2f676f6f676c652e7270632e42616452657175657374121b0a190a0d6974656d735b335d2e7061746812086d757374206e6f74",
      }
    `);
  });
});
