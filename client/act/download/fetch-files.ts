import { join } from 'node:path';
import { hashAt, hashCount } from '../../../common/block-hash.js';
import type { Clock } from '../../../common/clock.js';
import { anySignal } from '../../../common/concurrency/any-signal.js';
import { ByteBudget } from '../../../common/concurrency/byte-budget.js';
import { DrystoneError } from '../../../common/errors.js';
import type { ItemPath } from '../../../common/feed/item.js';
import type { NamespaceId } from '../../../common/ids.js';
import { clientLimits, peerLimits } from '../../../common/limits.js';
import type { Random } from '../../../common/random.js';
import type { FetchFile } from '../../plan/operation.js';
import type { ComingBlocks } from '../../peers/coming-blocks.js';
import type { LocalBlockIndex } from '../../state/local-block-index.js';
import type { LocalFile } from '../../state/local-entry.js';
import type { SyncTally } from '../../tally.js';
import { refusalOf } from '../disk/disk-refusal.js';
import type { Disk, DiskOutcome, DiskRefusal } from '../disk/disk-task.js';
import { standingOf, type FolderPlaces } from '../folder-places.js';
import { runTogether } from '../run-together.js';
import { SlotGate } from '../slot-gate.js';
import { AssemblyRefused, assembleFile, type FilePart } from './assemble-file.js';
import { BlockFetcher } from './block-fetcher.js';
import type { BlockSource } from './block-source.js';
import { DiskRoom, type PromisedRoom } from './disk-room.js';
import { FilePlacer, type ArrivedFile } from './file-placer.js';
import { partialName } from './partial-files.js';

/** What became of a fetch. */
export type FetchOutcome =
  | { readonly outcome: 'fetched'; readonly operation: FetchFile; readonly entry: LocalFile }
  | (DiskRefusal & { readonly operation: FetchFile })
  /** A block is nowhere to be had; later it may be. */
  | { readonly outcome: 'unavailable'; readonly operation: FetchFile; readonly error: DrystoneError };

export interface FetchParts {
  readonly namespaceId: NamespaceId;
  /** The id of this endpoint among those that share what there is to fetch. */
  readonly self: string;
  readonly sources: readonly BlockSource[];
  /** Where others find what comes; undefined where nothing is given to others. */
  readonly coming: ComingBlocks | undefined;
  readonly clock: Clock;
  /** Whether what is fetched is held to a bandwidth. */
  readonly isPaced: boolean;
  readonly places: FolderPlaces;
  readonly index: LocalBlockIndex;
  readonly disk: Disk;
  readonly random: Random;
  readonly tally: SyncTally;
  /** Told of each file when it has, durably, taken its place, or will not; must not throw. */
  readonly onOutcome: (outcome: FetchOutcome) => void;
}

/** What a small file costs of the budget at the least: keeping track of it takes memory too. */
const LEAST_COST_BYTES = 4096;

/**
 * Brings files into the folder. A file of one block is fetched whole and written in one go together with others; larger
 * ones, and those of which something lies on the local disk, are assembled. What does not fit on the disk beside the rest
 * is postponed, and nothing of it fetched. Raises only what `signal` aborts with, and
 * errors that are nobody's fault but ours.
 */
export async function fetchFiles(
  operations: readonly FetchFile[],
  parts: FetchParts,
  signal: AbortSignal,
): Promise<void> {
  const { places, disk } = parts;
  const fetcher = new BlockFetcher(parts);
  const placer = new FilePlacer(disk, places.root, places.temporaryDirectory);
  const download = new Download(parts, fetcher, placer);
  await fetcher.survey(surveyed(operations, parts.index), signal);
  await runTogether(signal, [
    async (together) => {
      await download.start(operations, together);
      fetcher.end();
    },
    async (together) => {
      await fetcher.run(together);
      await placer.finish();
    },
  ]);
  await disk.removePartials(places.temporaryDirectory, download.unfinished);
}

/** The first blocks that are not on the local disk. */
function* surveyed(operations: readonly FetchFile[], index: LocalBlockIndex): Generator<Uint8Array, void, undefined> {
  let count = 0;
  for (const { item } of operations) {
    const { hashes } = item.content.blocks;
    for (let at = 0; at < hashCount(hashes); at++) {
      if (count >= peerLimits.surveyedBlocks) return;
      const hash = hashAt(hashes, at);
      if (index.find(hash) !== undefined) continue;
      count++;
      yield hash;
    }
  }
}

class Download {
  readonly #budget = new ByteBudget(clientLimits.downloadBytesInFlight);
  readonly #assemblies = new SlotGate(clientLimits.filesInFlight);
  /** Names of partial files that a later round goes on with. */
  readonly #unfinished = new Set<string>();
  readonly #room: DiskRoom;
  #nextTemporary = 0;

  constructor(
    private readonly parts: FetchParts,
    private readonly fetcher: BlockFetcher,
    private readonly placer: FilePlacer,
  ) {
    this.#room = new DiskRoom(parts.disk, parts.places.temporaryDirectory, parts.clock);
  }

  get unfinished(): ReadonlySet<string> {
    return this.#unfinished;
  }

  /** Starts every file, as the budget allows; resolves when all that are assembled have been. */
  async start(operations: readonly FetchFile[], signal: AbortSignal): Promise<void> {
    const assembling = new Set<Promise<void>>();
    for (const operation of operations) {
      const { sizes, hashes } = operation.item.content.blocks;
      const hash = hashAt(hashes, 0);
      if (sizes.length === 0) {
        this.#arrived(operation, new Uint8Array(0), () => undefined);
      } else if (sizes.length === 1 && this.parts.index.find(hash) === undefined) {
        await this.#fetchWhole(operation, hash, signal);
      } else {
        await this.#assemblies.enter();
        signal.throwIfAborted();
        const room = await this.#roomToAssemble(operation);
        if (room === undefined) {
          this.#assemblies.leave();
          continue;
        }
        // A signal each: so many listeners of one would look like a leak.
        const assembly = this.#assemble(operation, room, anySignal([signal])).finally(() => {
          room.end();
          assembling.delete(assembly);
          this.#assemblies.leave();
        });
        assembling.add(assembly);
      }
    }
    await Promise.all(assembling);
  }

  async #fetchWhole(operation: FetchFile, hash: Uint8Array, signal: AbortSignal): Promise<void> {
    const { sizeBytes } = operation.item.content;
    const cost = Math.max(sizeBytes, LEAST_COST_BYTES);
    const room = await this.#roomFor(operation, cost, 0);
    if (room === undefined) return;
    await this.#budget.take(cost, signal);
    const release = (isPlaced: boolean): void => {
      if (isPlaced) room.wrote(cost);
      room.end();
      this.#budget.give(cost);
    };
    const deliver = (data: Buffer): void => {
      this.parts.tally.work.bytesDone += sizeBytes;
      this.parts.coming?.whole(hash, data);
      this.#arrived(operation, data, release);
    };
    const fail = (error: DrystoneError): void => {
      release(false);
      this.parts.onOutcome({ outcome: 'unavailable', operation, error });
    };
    this.fetcher.want({ hash, sizeBytes, deliver, fail });
  }

  /** Undefined where the file does not fit: then what is there of it is kept for when it does. */
  async #roomToAssemble(operation: FetchFile): Promise<PromisedRoom | undefined> {
    const { disk, places } = this.parts;
    const { content } = operation.item;
    const name = partialName(operation.path, content);
    const heldBytes = await disk.heldBytes(join(places.temporaryDirectory, name));
    const room = await this.#roomFor(operation, content.sizeBytes, heldBytes);
    if (room === undefined && heldBytes > 0) this.#unfinished.add(name);
    return room;
  }

  /** Undefined where the file does not fit: it has had its outcome then. */
  async #roomFor(operation: FetchFile, sizeBytes: number, heldBytes: number): Promise<PromisedRoom | undefined> {
    const room = await this.#room.promise(sizeBytes, heldBytes);
    if (!('outcome' in room)) return room;
    this.#placed(operation, room);
    return undefined;
  }

  async #assemble(operation: FetchFile, room: PromisedRoom, signal: AbortSignal): Promise<void> {
    const { places } = this.parts;
    const absolutePath = (path: ItemPath): string => places.absolutePath(path);
    const { path, item } = operation;
    const file = { ...this.#fileOf(operation), temporaryName: partialName(path, item.content) };
    const temporary = join(places.temporaryDirectory, file.temporaryName);
    const paths = [temporary, absolutePath(path)];
    const onWritten = ({ hash, offsetBytes, sizeBytes }: FilePart): void => {
      room.wrote(sizeBytes);
      this.parts.coming?.inFile(hash, paths, offsetBytes, sizeBytes);
    };
    try {
      const assembly = { ...this.parts, fetcher: this.fetcher, budget: this.#budget, absolutePath, onWritten };
      await assembleFile(item.content, temporary, assembly, signal);
    } catch (thrown) {
      signal.throwIfAborted();
      if (thrown instanceof DrystoneError) this.#unfinished.add(file.temporaryName);
      this.#report(operation, thrown);
      return;
    }
    this.placer.add({ file, data: undefined, onPlaced: (outcome) => this.#placed(operation, outcome) });
  }

  #report(operation: FetchFile, thrown: unknown): void {
    if (thrown instanceof DrystoneError) {
      this.parts.onOutcome({ outcome: 'unavailable', operation, error: thrown });
    } else {
      this.#placed(operation, thrown instanceof AssemblyRefused ? thrown.refusal : refusalOf(thrown));
    }
  }

  #arrived(operation: FetchFile, data: Uint8Array, release: (isPlaced: boolean) => void): void {
    const onPlaced = (outcome: DiskOutcome): void => {
      release(outcome.outcome === 'done');
      this.#placed(operation, outcome);
    };
    this.placer.add({ file: this.#fileOf(operation), data, onPlaced });
  }

  #fileOf({ path, item, replaces }: FetchFile): ArrivedFile['file'] {
    const { modifiedAtMs, executable } = item.content;
    const temporaryName = `fetch-${this.#nextTemporary++}`;
    const place = this.parts.places.placeOf(path);
    return { ...place, temporaryName, modifiedAtMs, executable, replaces: standingOf(replaces) };
  }

  #placed(operation: FetchFile, outcome: DiskOutcome): void {
    if (outcome.outcome !== 'done') {
      this.parts.onOutcome({ ...outcome, operation });
    } else if (outcome.entry?.kind === 'file') {
      const entry = { ...outcome.entry, blocks: operation.item.content.blocks };
      this.parts.onOutcome({ outcome: 'fetched', operation, entry });
    } else {
      this.parts.onOutcome({ outcome: 'changed', operation });
    }
  }
}
