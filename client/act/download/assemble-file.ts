import { hashAt } from '../../../common/block-hash.js';
import type { ByteBudget } from '../../../common/concurrency/byte-budget.js';
import { mapAhead } from '../../../common/concurrency/map-ahead.js';
import type { DrystoneError } from '../../../common/errors.js';
import type { FileContent, ItemPath } from '../../../common/feed/item.js';
import { clientLimits } from '../../../common/limits.js';
import { shuffled, type Random } from '../../../common/random.js';
import type { LocalBlockIndex } from '../../state/local-block-index.js';
import type { SyncTally } from '../../tally.js';
import type { BlockCopy, Disk, DiskRefusal, OpenPartial } from '../disk/disk-task.js';
import type { BlockFetcher } from './block-fetcher.js';
import { EarlySync } from './early-sync.js';

export interface AssemblyParts {
  readonly fetcher: BlockFetcher;
  readonly index: LocalBlockIndex;
  readonly disk: Disk;
  readonly budget: ByteBudget;
  readonly random: Random;
  readonly tally: SyncTally;
  readonly absolutePath: (path: ItemPath) => string;
  /** Told of each block that lies in the file, verified. */
  readonly onWritten: (part: FilePart) => void;
}

/** A block of a file that is being assembled. */
export interface FilePart {
  readonly hash: Uint8Array;
  readonly sizeBytes: number;
  readonly offsetBytes: number;
}

/** Raised where the disk refuses to take the file's content. */
export class AssemblyRefused extends Error {
  constructor(readonly refusal: DiskRefusal) {
    super('the file could not be written');
  }
}

/**
 * Writes a file's content to `temporary`, block by block in any order: what an interrupted attempt has left there is
 * verified and kept, what lies elsewhere on the local disk is verified and copied, the rest fetched in random order, those
 * first that other endpoints ask of this one: endpoints that fetch the same file at the same time come to hold different parts
 * of it. Nothing is durable yet, though the disk has been given most of it. Raises what the file system raises, {@link AssemblyRefused}, and
 * UNAVAILABLE (BLOCKS_UNAVAILABLE).
 */
export async function assembleFile(
  content: FileContent,
  temporary: string,
  parts: AssemblyParts,
  signal: AbortSignal,
): Promise<void> {
  const { handle, isResumed } = await parts.disk.openPartial(temporary, content.sizeBytes);
  const sync = new EarlySync(handle);
  const copying = { ...parts, target: temporary, sync, signal };
  try {
    const wanted = isResumed ? await keepVerified(partsOf(content), copying) : partsOf(content);
    const missing = await copyLocal(wanted, parts, copying);
    const target = new FetchTarget(handle, parts, sync);
    for (const part of inOrder(missing, parts)) {
      if (target.hasFailed) break;
      await parts.budget.take(part.sizeBytes, signal);
      target.fetch(part);
    }
    await target.finished();
    await sync.finish();
  } finally {
    // A sync that is under way ends before the handle is closed; what it would say, the error says that was raised.
    await sync.finish().catch(() => undefined);
    await handle.close();
  }
}

function inOrder(missing: readonly FilePart[], { fetcher, random }: AssemblyParts): FilePart[] {
  const [first, later]: [FilePart[], FilePart[]] = [[], []];
  for (const part of shuffled(missing, random)) (fetcher.isFirstHere(part.hash) ? first : later).push(part);
  return [...first, ...later];
}

function partsOf({ blocks: { hashes, sizes } }: FileContent): FilePart[] {
  let offsetBytes = 0;
  return sizes.map((sizeBytes, index) => {
    const part = { hash: hashAt(hashes, index), sizeBytes, offsetBytes };
    offsetBytes += sizeBytes;
    return part;
  });
}

/** Leaves what `target` holds already, and returns what it does not. */
function keepVerified(all: readonly FilePart[], copying: Copying): Promise<FilePart[]> {
  const copies = all.map((part) => ({ part, copy: copyOf(part, part.offsetBytes) }));
  return copyAll([{ source: copying.target, copies }], copying);
}

/** Copies what other files of the folder have, and returns what they have not. */
async function copyLocal(all: readonly FilePart[], parts: AssemblyParts, copying: Copying): Promise<FilePart[]> {
  const missing: FilePart[] = [];
  const bySource = new Map<string, PartCopy[]>();
  for (const part of all) {
    const found = parts.index.find(part.hash);
    if (found === undefined) {
      missing.push(part);
      continue;
    }
    const source = parts.absolutePath(found.path);
    const copies = bySource.get(source) ?? [];
    bySource.set(source, copies);
    copies.push({ part, copy: copyOf(part, found.offsetBytes) });
  }
  const sources = [...bySource].map(([source, copies]) => ({ source, copies }));
  const wrong = await copyAll(sources, copying);
  for (const { hash } of wrong) parts.index.forget(hash);
  return [...missing, ...wrong];
}

/** What all copies into one file have in common. */
interface Copying {
  readonly disk: Disk;
  readonly tally: SyncTally;
  /** Absolute. */
  readonly target: string;
  readonly sync: EarlySync;
  readonly signal: AbortSignal;
  readonly onWritten: (part: FilePart) => void;
}

interface PartCopy {
  readonly part: FilePart;
  readonly copy: BlockCopy;
}

/** What is believed to lie in one file. */
interface CopySource {
  /** Absolute. */
  readonly source: string;
  readonly copies: readonly PartCopy[];
}

function copyOf({ hash, sizeBytes, offsetBytes }: FilePart, sourceOffset: number): BlockCopy {
  return { hash, sizeBytes, sourceOffset, targetOffset: offsetBytes };
}

/** Copies from several files, and returns the parts that did not lie where they were believed to. */
async function copyAll(sources: readonly CopySource[], copying: Copying): Promise<FilePart[]> {
  const { disk, tally, target, sync, signal, onWritten } = copying;
  const missing: FilePart[] = [];
  const copyTask = async ({ source, copies }: CopySource): Promise<void> => {
    const outcome = await disk.copyBlocks({ source, target, blocks: copies.map(({ copy }) => copy) });
    if (outcome.outcome !== 'done') throw new AssemblyRefused(outcome);
    const wrong = new Set(outcome.wrong);
    copies.forEach(({ part }, index) => {
      if (wrong.has(index)) {
        missing.push(part);
      } else {
        tally.add('bytesFromLocal', part.sizeBytes);
        tally.work.bytesDone += part.sizeBytes;
        sync.wrote(part.sizeBytes);
        onWritten(part);
      }
    });
  };
  const tasks = mapAhead(copyTasks(sources, signal), clientLimits.diskThreads, copyTask);
  while ((await tasks.next()).done !== true);
  return missing;
}

async function* copyTasks(
  sources: readonly CopySource[],
  signal: AbortSignal,
): AsyncGenerator<CopySource, void, undefined> {
  for (const { source, copies } of sources) {
    let from = 0;
    let bytes = 0;
    for (const [index, { part }] of copies.entries()) {
      signal.throwIfAborted();
      bytes += part.sizeBytes;
      if (bytes < clientLimits.copyTaskBytes && index < copies.length - 1) continue;
      yield { source, copies: copies.slice(from, index + 1) };
      from = index + 1;
      bytes = 0;
    }
  }
}

/** The file that fetched blocks are written into. The first failure is kept; what comes after it is dropped. */
class FetchTarget {
  readonly #open = new Set<Promise<void>>();
  #failure: { readonly thrown: unknown } | undefined;

  constructor(
    private readonly handle: OpenPartial['handle'],
    private readonly parts: AssemblyParts,
    private readonly sync: EarlySync,
  ) {}

  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  /** Wants a block whose bytes have been taken from the budget; they are given back when it has been written. */
  fetch(part: FilePart): void {
    const { hash, sizeBytes, offsetBytes } = part;
    const written = new Promise<void>((resolve, reject) => {
      const deliver = (data: Buffer): void => {
        this.parts.tally.work.bytesDone += sizeBytes;
        this.#write(data, offsetBytes).then(resolve, reject);
      };
      const fail = (error: DrystoneError): void => reject(error);
      this.parts.fetcher.want({ hash, sizeBytes, deliver, fail });
    }).then(() => this.parts.onWritten(part));
    const settled = written
      .catch((thrown: unknown) => {
        this.#failure ??= { thrown };
      })
      .then(() => {
        this.parts.budget.give(sizeBytes);
        this.#open.delete(settled);
      });
    this.#open.add(settled);
  }

  async finished(): Promise<void> {
    await Promise.all(this.#open);
    if (this.#failure !== undefined) throw this.#failure.thrown;
  }

  async #write(data: Buffer, offsetBytes: number): Promise<void> {
    for (let written = 0; written < data.length;) {
      written += (await this.handle.write(data, written, data.length - written, offsetBytes + written)).bytesWritten;
    }
    this.sync.wrote(data.length);
  }
}
