import { FastCdc, type ChunkingParameters } from '../../../client/observe/fastcdc/fastcdc.js';

/** The sizes of the chunks of `data`, all of it in memory at once. */
export function cutAll(data: Uint8Array, parameters: ChunkingParameters): number[] {
  const chunker = new FastCdc(parameters, Math.max(data.length, parameters.maxBytes));
  chunker.data.set(data);
  const sizes: number[] = [];
  for (let offset = 0; offset < data.length;) {
    const sizeBytes = chunker.cut(offset, data.length, false);
    sizes.push(sizeBytes);
    offset += sizeBytes;
  }
  return sizes;
}
