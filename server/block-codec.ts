import { LateMessage } from '../common/rpc/late-message.js';
import type { ServiceCaller } from '../common/rpc/method-types.js';
import {
  BlockServiceService,
  type GetBlocksResponse,
  type PutBlocksRequest,
} from '../proto/gen/drystone/block/v1/block.js';

/**
 * A BlockBatch about to be sent. The blocks' content is given piece by piece and copied once, into the frame that is sent,
 * where the generated code would have it concatenated first and then copied three times.
 */
export interface OutgoingBatch {
  /** Packed hashes. */
  readonly hashes: Uint8Array;
  /** In bytes, in the order of `hashes`. */
  readonly sizes: readonly number[];
  /** The content, in the order of `hashes`; only the concatenation counts. */
  readonly data: readonly Uint8Array[];
}

/** A PutBlocksRequest about to be sent. */
export type OutgoingPut = Omit<PutBlocksRequest, 'batch'> & { readonly batch: OutgoingBatch | undefined };
/** A GetBlocksResponse about to be sent. */
export type OutgoingGetAnswer = Omit<GetBlocksResponse, 'batch'> & { readonly batch: OutgoingBatch | undefined };

/** Protobuf tags: (field number << 3) | 2, for all these fields are length-delimited. */
const FIRST_FIELD = 0x0a;
const SECOND_FIELD = 0x12;
const THIRD_FIELD = 0x1a;

/** The bytes that the generated code would make of the same message. */
export function serializePutBlocksRequest({ namespaceId, batch }: OutgoingPut): LateMessage {
  const idBytes = Buffer.byteLength(namespaceId);
  const batchSize = batch === undefined ? undefined : measureBatch(batch);
  const length = fieldSize(idBytes) + (batchSize === undefined ? 0 : nestedSize(batchSize.total));
  return new LateMessage(length, (frame, start) => {
    const writer = new MessageWriter(frame, start);
    writer.text(FIRST_FIELD, namespaceId, idBytes);
    if (batch !== undefined && batchSize !== undefined) writeBatch(writer, SECOND_FIELD, batch, batchSize);
    return writer.position;
  });
}

/** The bytes that the generated code would make of the same message. */
export function serializeGetBlocksResponse({ batch, missingHashes }: OutgoingGetAnswer): LateMessage {
  const batchSize = batch === undefined ? undefined : measureBatch(batch);
  const length = (batchSize === undefined ? 0 : nestedSize(batchSize.total)) + fieldSize(missingHashes.length);
  return new LateMessage(length, (frame, start) => {
    const writer = new MessageWriter(frame, start);
    if (batch !== undefined && batchSize !== undefined) writeBatch(writer, FIRST_FIELD, batch, batchSize);
    writer.field(SECOND_FIELD, [missingHashes], missingHashes.length);
    return writer.position;
  });
}

/** The block service as both ends use it: the generated definition, with faster serializers for the messages that carry blocks. */
export const blockMethods = {
  ...BlockServiceService,
  putBlocks: { ...BlockServiceService.putBlocks, requestSerialize: serializePutBlocksRequest },
  getBlocks: { ...BlockServiceService.getBlocks, responseSerialize: serializeGetBlocksResponse },
} as const;

/** The calls of a block server, over gRPC or anything else with the same promises. */
export type BlockCalls = ServiceCaller<typeof blockMethods>;

interface BatchSize {
  readonly sizes: number;
  readonly data: number;
  readonly total: number;
}

function measureBatch({ hashes, sizes, data }: OutgoingBatch): BatchSize {
  let sizesBytes = 0;
  for (const size of sizes) sizesBytes += varintSize(size);
  let dataBytes = 0;
  for (const piece of data) dataBytes += piece.length;
  const total = fieldSize(hashes.length) + fieldSize(sizesBytes) + fieldSize(dataBytes);
  return { sizes: sizesBytes, data: dataBytes, total };
}

function writeBatch(writer: MessageWriter, tag: number, batch: OutgoingBatch, size: BatchSize): void {
  writer.header(tag, size.total);
  writer.field(FIRST_FIELD, [batch.hashes], batch.hashes.length);
  if (size.sizes > 0) {
    writer.header(SECOND_FIELD, size.sizes);
    for (const value of batch.sizes) writer.varint(value);
  }
  writer.field(THIRD_FIELD, batch.data, size.data);
}

/** Bytes of a field with `length` bytes of content; an empty one is left out. */
function fieldSize(length: number): number {
  return length === 0 ? 0 : nestedSize(length);
}

/** Bytes of a nested message's field, which is written even where it is empty. */
function nestedSize(length: number): number {
  return 1 + varintSize(length) + length;
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) size++;
  return size;
}

/** Writes fields into a frame, one after the other. */
class MessageWriter {
  constructor(
    private readonly frame: Buffer,
    /** Where the next field begins. */
    public position: number,
  ) {}

  header(tag: number, length: number): void {
    this.frame[this.position++] = tag;
    this.varint(length);
  }

  field(tag: number, pieces: readonly Uint8Array[], length: number): void {
    if (length === 0) return;
    this.header(tag, length);
    for (const piece of pieces) {
      this.frame.set(piece, this.position);
      this.position += piece.length;
    }
  }

  text(tag: number, text: string, length: number): void {
    if (length === 0) return;
    this.header(tag, length);
    this.position += this.frame.write(text, this.position, 'utf8');
  }

  varint(value: number): void {
    let rest = value >>> 0;
    while (rest > 0x7f) {
      this.frame[this.position++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.frame[this.position++] = rest;
  }
}
