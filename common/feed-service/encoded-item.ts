/** The tag of `path` in an encoded item: field 1, length-delimited. Its one-byte tag sorts first, so it begins the item. */
const PATH_TAG = 0x0a;
const SLASH = 0x2f;

/**
 * Whether an encoded item's path is `prefix` (UTF-8) or lies below it, without decoding the item; everything lies below the
 * empty prefix.
 */
export function isEncodedAtOrBelow(encoded: Uint8Array, prefix: Uint8Array): boolean {
  if (prefix.length === 0) return true;
  if (encoded[0] !== PATH_TAG) throw new Error('an encoded item does not begin with its path');
  const { value: length, end: start } = readVarint(encoded, 1);
  if (length < prefix.length) return false;
  if (length > prefix.length && encoded[start + prefix.length] !== SLASH) return false;
  return prefix.every((byte, index) => encoded[start + index] === byte);
}

function readVarint(bytes: Uint8Array, start: number): { readonly value: number; readonly end: number } {
  let value = 0;
  let scale = 1;
  for (let offset = start; ; offset++) {
    const byte = bytes[offset] ?? 0;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return { value, end: offset + 1 };
    scale *= 0x80;
  }
}
