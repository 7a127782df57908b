import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GetBlocksResponse, PutBlocksRequest } from '../../proto/gen/drystone/block/v1/block.js';
import { serializeGetBlocksResponse, serializePutBlocksRequest, type OutgoingBatch } from '../../server/block-codec.js';
import { frameOf } from '../support/frame-of.js';

const bytes = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength });

/** Any batch, sound or not: what a batch means is not the serializers' to see. */
const batch: fc.Arbitrary<OutgoingBatch | undefined> = fc.option(
  fc.record({
    hashes: bytes(300),
    sizes: fc.array(fc.oneof(fc.constantFrom(0, 127, 128, 16_383, 16_384), fc.nat({ max: 2 ** 32 - 1 })), {
      maxLength: 100,
    }),
    data: fc.array(bytes(2000), { maxLength: 8 }),
  }),
  { nil: undefined },
);

/** The same batch as the generated code wants it. */
function asGenerated(outgoing: OutgoingBatch | undefined) {
  return outgoing === undefined ? undefined : { ...outgoing, data: Buffer.concat(outgoing.data) };
}

describe('the serializers of block messages', () => {
  it('make the same bytes of a PutBlocksRequest as the generated code', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), batch, (namespaceId, outgoing) => {
        const generated = PutBlocksRequest.encode({ namespaceId, batch: asGenerated(outgoing) }).finish();
        expect(frameOf(serializePutBlocksRequest({ namespaceId, batch: outgoing })).equals(generated)).toBe(true);
      }),
    );
  });

  it('make the same bytes of a GetBlocksResponse as the generated code', () => {
    fc.assert(
      fc.property(bytes(300), batch, (missingHashes, outgoing) => {
        const generated = GetBlocksResponse.encode({ missingHashes, batch: asGenerated(outgoing) }).finish();
        expect(frameOf(serializeGetBlocksResponse({ missingHashes, batch: outgoing })).equals(generated)).toBe(true);
      }),
    );
  });

  it('make messages of every length where a length takes one byte more', () => {
    for (const length of [0, 1, 100, 126, 127, 128, 129, 16_383, 16_384, 2 ** 21 - 1, 2 ** 21, 2 ** 22]) {
      const outgoing: OutgoingBatch = { hashes: Buffer.alloc(32), sizes: [length], data: [Buffer.alloc(length, 7)] };
      const generated = PutBlocksRequest.encode({ namespaceId: '', batch: asGenerated(outgoing) }).finish();
      expect(frameOf(serializePutBlocksRequest({ namespaceId: '', batch: outgoing })).equals(generated)).toBe(true);
    }
  });
});
