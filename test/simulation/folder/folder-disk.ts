import { hashBlockSync } from '../../../common/block-hash.js';
import type { ItemPath } from '../../../common/feed/item.js';
import { refusalOf } from '../../../client/act/disk/disk-refusal.js';
import type {
  Disk,
  DiskOutcome,
  FolderChange,
  OpenPartial,
  Place,
  PlacedFile,
  PlaceFilesTask,
  Standing,
} from '../../../client/act/disk/disk-task.js';
import { FolderChanged } from '../../../client/act/disk/safe-folder.js';
import { sameStamp } from '../../../client/observe/stable-file.js';
import type { SimulatedProcess } from '../process.js';
import { failure } from './folder-reader.js';
import type { SimulatedFolder, Temporary } from './folder.js';

const PARTIAL_PREFIX = 'partial-';

/** The hands of a program in a simulated folder. Between two of its steps the program can crash, and people go on. */
export class SimulatedDisk implements Disk {
  constructor(
    private readonly folder: SimulatedFolder,
    private readonly root: string,
    private readonly process: SimulatedProcess,
  ) {}

  async placeFiles({ files, content }: PlaceFilesTask): Promise<DiskOutcome[]> {
    const failures = files.map((file) => failureOf(() => this.#prepare(file, content)));
    await this.process.step('temporary files written');
    files.forEach(({ temporaryName }) => this.#syncTemporary(temporaryName));
    await this.process.step('temporary files synced');
    const outcomes: DiskOutcome[] = [];
    for (const [index, file] of files.entries()) {
      let entry: Standing;
      const refusal = failures[index] ?? failureOf(() => (entry = this.#place(file)));
      if (refusal !== undefined) this.folder.temporaries.delete(file.temporaryName);
      outcomes.push(refusal ?? { outcome: 'done', entry });
      await this.process.step(`file placed: ${file.path}`);
    }
    this.folder.sync();
    await this.process.step('directories synced');
    return outcomes;
  }

  async changeFolder({ changes }: { readonly changes: readonly FolderChange[] }): Promise<DiskOutcome[]> {
    const outcomes: DiskOutcome[] = [];
    for (const change of changes) {
      const refusal = failureOf(() => this.#apply(change));
      const entry = this.folder.observe((change.change === 'rename' ? change.to : change).path);
      outcomes.push(refusal ?? { outcome: 'done', entry });
      await this.process.step(`folder changed: ${change.change} ${change.path} ${refusal?.outcome ?? 'done'}`);
    }
    this.folder.sync();
    await this.process.step('directories synced');
    return outcomes;
  }

  async copyBlocks({ source, target, blocks }: Parameters<Disk['copyBlocks']>[0]): ReturnType<Disk['copyBlocks']> {
    const from = this.bytesAt(source);
    const to = this.#temporaryAt(target);
    await this.process.step('blocks copied');
    const wrong: number[] = [];
    for (const [index, { hash, sizeBytes, sourceOffset, targetOffset }] of blocks.entries()) {
      const bytes = from?.subarray(sourceOffset, sourceOffset + sizeBytes);
      if (bytes?.length !== sizeBytes || !hashBlockSync(bytes).equals(hash)) wrong.push(index);
      else bytes.copy(to.bytes, targetOffset);
    }
    return { outcome: 'done', wrong };
  }

  async openPartial(path: string, sizeBytes: number): Promise<OpenPartial> {
    const name = this.#temporaryName(path);
    const earlier = this.folder.temporaries.get(name);
    const isResumed = earlier?.bytes.length === sizeBytes;
    const partial = isResumed ? earlier : { bytes: Buffer.alloc(sizeBytes), isSynced: false };
    partial.isSynced = false;
    this.folder.temporaries.set(name, partial);
    await this.process.step(`partial file opened${isResumed ? ' again' : ''}`);
    return { handle: this.#handleOf(partial), isResumed };
  }

  async removePartials(_directory: string, except: ReadonlySet<string>): Promise<void> {
    for (const name of [...this.folder.temporaries.keys()]) {
      if (name.startsWith(PARTIAL_PREFIX) && !except.has(name)) this.folder.temporaries.delete(name);
    }
  }

  async freeBytes(): Promise<number> {
    return this.folder.isFull ? 0 : Infinity;
  }

  async heldBytes(path: string): Promise<number> {
    return this.folder.temporaries.get(this.#temporaryName(path))?.bytes.length ?? 0;
  }

  /** What a program that starts removes of what an earlier one has left. */
  clearTemporaries(): void {
    for (const name of [...this.folder.temporaries.keys()]) {
      if (!name.startsWith(PARTIAL_PREFIX)) this.folder.temporaries.delete(name);
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** What stands in a file now, in its place or on the way there; undefined where there is none. */
  bytesAt(absolute: string): Buffer | undefined {
    const name = this.#temporaryName(absolute);
    const temporary = this.folder.temporaries.get(name);
    if (temporary !== undefined) return temporary.bytes;
    const entry = this.folder.entries.get(absolute.slice(this.root.length + 1) as ItemPath);
    return entry?.kind === 'file' ? entry.bytes : undefined;
  }

  #handleOf(partial: Temporary): OpenPartial['handle'] {
    return {
      write: async (data, offset, length, position) => {
        await this.process.step('block written');
        if (this.folder.isFull) throw failure('ENOSPC', 'a partial file');
        partial.bytes.set(data.subarray(offset, offset + length), position);
        return { bytesWritten: length };
      },
      datasync: async () => undefined,
      close: async () => undefined,
    };
  }

  #prepare({ temporaryName, bytes }: PlacedFile, content: ArrayBuffer): void {
    if (this.folder.isFull) throw failure('ENOSPC', temporaryName);
    if (bytes === undefined) {
      if (!this.folder.temporaries.has(temporaryName)) throw failure('ENOENT', temporaryName);
      return;
    }
    const written = Buffer.from(new Uint8Array(content, bytes.offset, bytes.sizeBytes));
    this.folder.temporaries.set(temporaryName, { bytes: written, isSynced: false });
  }

  #syncTemporary(name: string): void {
    const temporary = this.folder.temporaries.get(name);
    if (temporary !== undefined) temporary.isSynced = true;
  }

  #place({ path, temporaryName, modifiedAtMs, executable, replaces }: PlacedFile): Standing {
    this.#expect({ path }, replaces);
    const temporary = this.folder.temporaries.get(temporaryName);
    if (temporary === undefined) throw failure('ENOENT', temporaryName);
    this.folder.temporaries.delete(temporaryName);
    const { bytes, isSynced } = temporary;
    this.folder.put(path, this.folder.newFile({ bytes, modifiedAtMs, executable }, isSynced));
    return this.folder.observe(path);
  }

  #apply(change: FolderChange): void {
    const { path } = change;
    switch (change.change) {
      case 'make-directory':
        if (this.folder.observe(path)?.kind === 'directory') return;
        this.#expect(change, undefined);
        this.folder.put(path, { kind: 'directory' });
        return;
      case 'make-symlink':
        this.#expect(change, change.replaces);
        this.folder.put(path, { kind: 'symlink', target: change.target });
        return;
      case 'remove':
        this.#expect(change, change.replaces);
        if (change.replaces.kind === 'directory' && !this.folder.isEmpty(path)) throw failure('ENOTEMPTY', path);
        this.folder.put(path, undefined);
        return;
      case 'rename':
        this.#expect(change, change.replaces);
        this.#expect(change.to, undefined);
        this.folder.rename(path, change.to.path);
        return;
      case 'set-attributes': {
        this.#expect(change, change.replaces);
        const file = this.folder.entries.get(path);
        if (file?.kind !== 'file') throw new FolderChanged();
        const { modifiedAtMs, executable } = change;
        this.folder.put(path, this.folder.touched(file, { modifiedAtMs, executable }));
      }
    }
  }

  #expect({ path }: Pick<Place, 'path'>, expected: Standing): void {
    if (!this.folder.hasParent(path) || !isAs(this.folder.observe(path), expected)) throw new FolderChanged();
  }

  #temporaryAt(absolute: string): Temporary {
    const temporary = this.folder.temporaries.get(this.#temporaryName(absolute));
    if (temporary === undefined) throw failure('ENOENT', absolute);
    return temporary;
  }

  #temporaryName(absolute: string): string {
    return absolute.slice(absolute.lastIndexOf('/') + 1);
  }
}

function failureOf(work: () => void): Exclude<DiskOutcome, { outcome: 'done' }> | undefined {
  try {
    work();
    return undefined;
  } catch (thrown) {
    return refusalOf(thrown);
  }
}

function isAs(found: Standing, expected: Standing): boolean {
  if (found === undefined || expected === undefined) return found === expected;
  if (found.kind === 'file') return expected.kind === 'file' && sameStamp(found.stamp, expected.stamp);
  if (found.kind === 'symlink') return expected.kind === 'symlink' && found.target === expected.target;
  return expected.kind === 'directory';
}
