import { createHash, sign, verify, type KeyObject } from 'node:crypto';
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { Item as WireItem, type Endorsement as EndorsementMessage } from '../../proto/gen/drystone/feed/v1/feed.js';
import { DrystoneError, invalidArgument } from '../errors.js';
import { idBytes, idOfPublicKey, type DeviceId, type NamespaceId } from '../ids.js';
import { publicKeyOfRaw, rawPublicKey } from '../receipt.js';
import { WALL_MAX_MS } from './hybrid-time.js';

/** Whose word a message of items is, and since when. */
export interface Endorsed {
  readonly device: DeviceId;
  /** When the device pushed it: milliseconds since 1970 UTC, by the device's clock. */
  readonly pushedAtMs: number;
}

/** A message of items before it is signed. */
export interface EndorsementClaim {
  readonly namespaceId: NamespaceId;
  /** Milliseconds since 1970 UTC. */
  readonly pushedAtMs: number;
  /** The protobuf encodings of the items, in their order, as {@link encodeWireItems} makes them. */
  readonly items: readonly Uint8Array[];
}

const CONTEXT = Buffer.from('drystone push v1\0', 'latin1');
const PUBLIC_KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;

/**
 * Encodes items one by one, as every endpoint does that signs, checks or keeps them: fields in the order of their numbers,
 * those that this release does not know left out, so that the bytes are the same for the same item.
 */
export function encodeWireItems(items: readonly WireItem[]): Uint8Array[] {
  // One for all items: it keeps its buffer from one to the next, and growing it costs as much as encoding.
  const writer = new BinaryWriter();
  return items.map((item) => WireItem.encode(item, writer).finish());
}

/**
 * The bytes that an endorsement's signature covers (docs/protocol.md, section 6): the context string, namespace id (16
 * bytes), time (8, big-endian milliseconds) and the SHA-256 over all items (32), each with the length of its encoding before
 * it (4, big-endian). Nothing can be reinterpreted, and the context keeps the signature from meaning anything in another
 * protocol.
 */
export function endorsementBytes({ namespaceId, pushedAtMs, items }: EndorsementClaim): Buffer {
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(BigInt(pushedAtMs));
  const hash = createHash('sha256');
  for (const item of items) {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(item.length);
    hash.update(length).update(item);
  }
  return Buffer.concat([CONTEXT, idBytes(namespaceId), time, hash.digest()]);
}

/** Signs a message of items with the device's Ed25519 private key: the field `endorsement` of its PushRequest. */
export function endorse(claim: EndorsementClaim, privateKey: KeyObject): EndorsementMessage {
  return {
    publicKey: rawPublicKey(privateKey),
    pushedAtMs: BigInt(claim.pushedAtMs),
    signature: sign(null, endorsementBytes(claim), privateKey),
  };
}

/**
 * Whose word a message is. PERMISSION_DENIED (ENDORSEMENT_INVALID) where the signature is not that of the key for these
 * items in this namespace at this time; INVALID_ARGUMENT where the time is none.
 *
 * That the device is known, and may do what the message asks for, is the caller's to look up.
 */
export function checkEndorsement(
  message: EndorsementMessage,
  { namespaceId, items }: Omit<EndorsementClaim, 'pushedAtMs'>,
): Endorsed {
  const { publicKey, signature } = message;
  if (message.pushedAtMs > BigInt(WALL_MAX_MS)) {
    throw invalidArgument('endorsement.pushed_at_ms', `must be at most ${WALL_MAX_MS}`);
  }
  const pushedAtMs = Number(message.pushedAtMs);
  const claim = { namespaceId, pushedAtMs, items };
  if (
    publicKey.length !== PUBLIC_KEY_BYTES ||
    signature.length !== SIGNATURE_BYTES ||
    !verify(null, endorsementBytes(claim), publicKeyOfRaw(publicKey), signature)
  ) {
    throw endorsementInvalid(
      'was not signed by its key for these items in this namespace; sign the message as it is sent',
    );
  }
  return { device: idOfPublicKey<DeviceId>(publicKey), pushedAtMs };
}

/** PERMISSION_DENIED: a message's endorsement does not make it what its bearer says it is. */
export function endorsementInvalid(problem: string): DrystoneError {
  return new DrystoneError('PERMISSION_DENIED', 'ENDORSEMENT_INVALID', `the endorsement ${problem}`);
}
