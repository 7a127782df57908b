import { invalidArgument } from '../../../common/errors.js';
import { fastCdcModuleBase64, gearTableBase64 } from './fastcdc-wasm.js';

/** What of WebAssembly is used here; the types of Node do not declare it. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
};

/** What fastcdc.wat exports. */
interface FastCdcModule {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  configure(minBytes: number, averageBytes: number, maxBytes: number, maskSmall: bigint, maskLarge: bigint): void;
  cut(start: number, remaining: number, more: number): number;
}

/** How FastCDC 2020 cuts; the production values are `chunking` in common/limits.ts. */
export interface ChunkingParameters {
  readonly minBytes: number;
  readonly averageBytes: number;
  readonly maxBytes: number;
  /** How many bits the masks before and after the average size differ from log2(average): 0 to 3. */
  readonly normalization: number;
  /** XORed into the gear table. */
  readonly seed: bigint;
}

const PAGE_BYTES = 64 * 1024;
const GEAR_ENTRIES = 256;
/** Where fastcdc.wat expects the file's bytes. */
const DATA_ADDRESS = PAGE_BYTES;

/** The masks of FastCDC 2020 by number of bits set, from {@link FEWEST_MASK_BITS}. */
const FEWEST_MASK_BITS = 5;
const MASKS = [
  0x1804110n,
  0x1803110n,
  0x18035100n,
  0x1800035300n,
  0x19000353000n,
  0x590003530000n,
  0xd90003530000n,
  0xd90103530000n,
  0xd90303530000n,
  0xd90313530000n,
  0xd90f03530000n,
  0xd90303537000n,
  0xd90703537000n,
  0xd90707537000n,
  0xd91707537000n,
  0xd91747537000n,
  0xd91767537000n,
  0xd93767537000n,
  0xd93777537000n,
  0xd93777577000n,
  0xdb3777577000n,
] as const;

/**
 * Finds chunk boundaries by FastCDC 2020 (Wen Xia et al., IEEE TPDS 2020), as the Remote Execution API's
 * `FAST_CDC_2020`. The bytes to cut are read straight into {@link data}, the module's own memory, so nothing is copied
 * for it. One instance serves one thread, any number of files, one after the other.
 */
export class FastCdc {
  /** The memory to read file data into. Always the same bytes; what they hold is the caller's. */
  readonly data: Uint8Array<ArrayBuffer>;
  readonly #module: FastCdcModule;

  /** Raises INVALID_ARGUMENT where the parameters contradict each other or `capacityBytes` cannot hold a chunk. */
  constructor(
    readonly parameters: ChunkingParameters,
    capacityBytes: number,
  ) {
    const [maskSmall, maskLarge] = masksOf(parameters);
    if (capacityBytes < parameters.maxBytes) {
      throw invalidArgument('capacityBytes', `must hold the largest chunk, ${parameters.maxBytes} bytes`);
    }
    this.#module = instantiate(capacityBytes);
    this.#module.configure(parameters.minBytes, parameters.averageBytes, parameters.maxBytes, maskSmall, maskLarge);
    const memory = this.#module.memory.buffer;
    writeGearTables(memory, parameters.seed);
    this.data = new Uint8Array(memory, DATA_ADDRESS, capacityBytes);
  }

  /**
   * The size in bytes of the chunk that begins at `start` of {@link data}, when the file's bytes up to `end` are there.
   * `more` says that the file goes on behind `end`; then 0 means that the cut depends on bytes that are not there, which
   * never happens once `maxBytes` are. Without `more`, 0 means that nothing is left.
   */
  cut(start: number, end: number, more: boolean): number {
    return this.#module.cut(DATA_ADDRESS + start, end - start, more ? 1 : 0);
  }
}

function instantiate(capacityBytes: number): FastCdcModule {
  const compiled = new WebAssembly.Module(Buffer.from(fastCdcModuleBase64, 'base64'));
  const module = new WebAssembly.Instance(compiled).exports as FastCdcModule;
  module.memory.grow(Math.ceil(capacityBytes / PAGE_BYTES));
  return module;
}

function writeGearTables(memory: ArrayBuffer, seed: bigint): void {
  const entries = Buffer.from(gearTableBase64, 'base64');
  const table = new BigUint64Array(memory, 0, 2 * GEAR_ENTRIES);
  for (let value = 0; value < GEAR_ENTRIES; value++) {
    const entry = entries.readBigUInt64BE(8 * value) ^ seed;
    table[value] = entry;
    table[GEAR_ENTRIES + value] = entry << 1n;
  }
}

/** The masks before and after the average size. */
function masksOf(parameters: ChunkingParameters): readonly [bigint, bigint] {
  const { minBytes, averageBytes, maxBytes, normalization } = parameters;
  if (minBytes < 2 || minBytes >= averageBytes || averageBytes >= maxBytes) {
    throw invalidArgument('chunking', 'sizes must be 2 ≤ minimum < average < maximum');
  }
  const bits = Math.round(Math.log2(averageBytes)) - FEWEST_MASK_BITS;
  const maskSmall = MASKS[bits + normalization];
  const maskLarge = MASKS[bits - normalization];
  if (maskSmall === undefined || maskLarge === undefined) {
    throw invalidArgument('chunking', 'there is no mask for this average size and normalization');
  }
  return [maskSmall, maskLarge];
}
