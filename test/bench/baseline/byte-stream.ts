/** A message of one `bytes data = 1` field. */
export interface Piece {
  readonly data: Uint8Array;
}

/** Bytes of one message's payload. */
export const PIECE_BYTES = 1024 * 1024;

const TAG = 0x0a;

/** Protobuf by hand, tag, length and one copy, so that codecs weigh little and equally on both sides of a comparison. */
function encodePiece({ data }: Piece): Buffer {
  const length: number[] = [];
  let rest = data.length;
  for (; rest > 0x7f; rest >>>= 7) length.push((rest & 0x7f) | 0x80);
  length.push(rest);
  const encoded = Buffer.allocUnsafe(1 + length.length + data.length);
  encoded.set([TAG, ...length]);
  encoded.set(data, 1 + length.length);
  return encoded;
}

function decodePiece(encoded: Buffer): Piece {
  let offset = 1;
  while ((encoded[offset] ?? 0) > 0x7f) offset++;
  return { data: encoded.subarray(offset + 1) };
}

function method(name: string) {
  return {
    path: `/drystone.bench.ByteStream/${name}`,
    requestStream: true as const,
    responseStream: true as const,
    requestSerialize: encodePiece,
    requestDeserialize: decodePiece,
    responseSerialize: encodePiece,
    responseDeserialize: decodePiece,
  };
}

/**
 * Blocks without a store. `put`: the server drops what it receives and answers once, at the end, with a message of as
 * many bytes as it got messages. `get`: the first request's length says how many pieces the server sends.
 */
export const byteStreamMethods = { put: method('Put'), get: method('Get') };

/** One piece, as both sides send it over and over. */
export const PIECE: Piece = { data: Buffer.alloc(PIECE_BYTES, 0x5a) };
