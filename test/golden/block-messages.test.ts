import { describe, expect, it } from 'vitest';
import { GetBlocksResponse, PutBlocksRequest, PutBlocksResponse } from '../../proto/gen/drystone/block/v1/block.js';
import { hashBlockSync } from '../../common/block-hash.js';
import type { AgentId, NamespaceId } from '../../common/ids.js';
import { privateKeyOfPem, signReceipt } from '../../common/receipt.js';
import { receiptToMessage } from '../../common/receipt-message.js';
import { serializeGetBlocksResponse, serializePutBlocksRequest } from '../../server/block-codec.js';
import { frameOf } from '../support/frame-of.js';

const NAMESPACE = '00112233445566778899aabbccddeeff' as NamespaceId;
const CONTENT = Buffer.from('a dry stone wall holds without mortar');
const EMPTY_SHA256 = hashBlockSync(Buffer.alloc(0));

const batch = { hashes: hashBlockSync(CONTENT), sizes: [CONTENT.length], data: [CONTENT] };

/** The bytes that other releases and other languages send and expect: they never change. */
describe('block messages on the wire', () => {
  it('PutBlocksRequest', () => {
    const message = frameOf(serializePutBlocksRequest({ namespaceId: NAMESPACE, batch }));
    expect(message.toString('hex')).toMatchInlineSnapshot(
      `"0a203030313132323333343435353636373738383939616162626363646465656666124c0a203819998f8c835fa93c29a932eb8a90eb93e2c88cf53e8ce4ec43f1dd379ec7581201251a2561206472792073746f6e652077616c6c20686f6c647320776974686f7574206d6f72746172"`,
    );
    expect(PutBlocksRequest.decode(message)).toMatchObject({ namespaceId: NAMESPACE, batch: { data: CONTENT } });
  });

  it('GetBlocksResponse', () => {
    const message = frameOf(serializeGetBlocksResponse({ batch, missingHashes: EMPTY_SHA256 }));
    expect(message.toString('hex')).toMatchInlineSnapshot(
      `"0a4c0a203819998f8c835fa93c29a932eb8a90eb93e2c88cf53e8ce4ec43f1dd379ec7581201251a2561206472792073746f6e652077616c6c20686f6c647320776974686f7574206d6f727461721220e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"`,
    );
    expect(GetBlocksResponse.decode(message)).toMatchObject({ batch: { data: CONTENT }, missingHashes: EMPTY_SHA256 });
  });

  it('PutBlocksResponse with a receipt', () => {
    const privateKey = privateKeyOfPem(
      '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n-----END PRIVATE KEY-----\n',
    );
    const agentId = 'ffeeddccbbaa99887766554433221100' as AgentId;
    const claim = { agentId, namespaceId: NAMESPACE, issuedAtMs: 1_800_000_000_000, hashes: batch.hashes };
    const receipt = receiptToMessage(signReceipt(claim, privateKey));
    const message = Buffer.from(PutBlocksResponse.encode({ receipt }).finish());
    expect(message.toString('hex')).toMatchInlineSnapshot(
      `"0aaf010a206666656564646363626261613939383837373636353534343333323231313030122030303131323233333434353536363737383839396161626263636464656566661880a0f1c2b13422203819998f8c835fa93c29a932eb8a90eb93e2c88cf53e8ce4ec43f1dd379ec7582a404dca9a57e554b6e173b4cd6af71cd12659bdc43722699074d4c8d0780062d2a4ebb1d9db5c7257c71818e3c1191c4bbe4551c45b7a83e52db824e6099cd8aa08"`,
    );
    expect(PutBlocksResponse.decode(message).receipt?.issuedAtMs).toBe(1_800_000_000_000n);
  });
});
