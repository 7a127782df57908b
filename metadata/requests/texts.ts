import { invalidArgument } from '../../common/errors.js';
import { wireLimits } from '../../common/limits.js';

const PUBLIC_KEY_BYTES = 32;

/** A text for people: at most `wireLimits.displayTextBytes`, without control characters; INVALID_ARGUMENT otherwise. */
export function checkDisplayText(field: string, text: string): string {
  const { displayTextBytes } = wireLimits;
  if (Buffer.byteLength(text) > displayTextBytes)
    throw invalidArgument(field, `must have at most ${displayTextBytes} bytes`);
  if (/\p{Cc}/u.test(text)) throw invalidArgument(field, 'must not contain control characters');
  return text;
}

/** A raw Ed25519 public key, copied out of its message; INVALID_ARGUMENT where it has not 32 bytes. */
export function checkPublicKey(field: string, key: Uint8Array): Uint8Array {
  if (key.length !== PUBLIC_KEY_BYTES) throw invalidArgument(field, `must have ${PUBLIC_KEY_BYTES} bytes`);
  return Uint8Array.from(key);
}
