import { clientLimits } from '../../../common/limits.js';
import type { Disk, DiskOutcome, PlacedFile } from '../disk/disk-task.js';

/** A file whose content has arrived. */
export interface ArrivedFile {
  readonly file: Omit<PlacedFile, 'bytes'>;
  /** The whole content; undefined where the temporary file holds it already. */
  readonly data: Uint8Array | undefined;
  /** Called once, with what became of it; must not throw. */
  readonly onPlaced: (outcome: DiskOutcome) => void;
}

/**
 * Gives files their place, as many in one task as have come together while the last ones were under way: their syncs are
 * shared, and nobody waits for companions.
 */
export class FilePlacer {
  #waiting: ArrivedFile[] = [];
  readonly #underWay = new Set<Promise<void>>();
  #error: { readonly thrown: unknown } | undefined;

  constructor(
    private readonly disk: Disk,
    private readonly root: string,
    private readonly temporaryDirectory: string,
  ) {}

  add(arrived: ArrivedFile): void {
    this.#waiting.push(arrived);
    this.#startTasks();
  }

  /** Resolves when everything added has its place; raises what kept a task from running. */
  async finish(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
    if (this.#error !== undefined) throw this.#error.thrown;
  }

  #startTasks(): void {
    while (this.#waiting.length > 0 && this.#underWay.size < clientLimits.diskThreads && this.#error === undefined) {
      const task = this.#place(this.#takeBatch())
        .catch((thrown: unknown) => (this.#error ??= { thrown }))
        .then(() => {
          this.#underWay.delete(task);
          this.#startTasks();
        });
      this.#underWay.add(task);
    }
  }

  #takeBatch(): ArrivedFile[] {
    let bytes = 0;
    const end = this.#waiting.findIndex(({ data }, index) => {
      bytes += data?.length ?? 0;
      return index >= clientLimits.placeTaskFiles || (index > 0 && bytes > clientLimits.placeTaskBytes);
    });
    if (end < 0) {
      const all = this.#waiting;
      this.#waiting = [];
      return all;
    }
    return this.#waiting.splice(0, end);
  }

  async #place(batch: readonly ArrivedFile[]): Promise<void> {
    const sizeBytes = batch.reduce((total, { data }) => total + (data?.length ?? 0), 0);
    const content = new Uint8Array(sizeBytes);
    let offset = 0;
    const files = batch.map(({ file, data }): PlacedFile => {
      if (data === undefined) return file;
      const bytes = { offset, sizeBytes: data.length };
      content.set(data, offset);
      offset += data.length;
      return { ...file, bytes };
    });
    const { root, temporaryDirectory } = this;
    const outcomes = await this.disk.placeFiles({ root, temporaryDirectory, files, content: content.buffer });
    batch.forEach(({ onPlaced }, index) => {
      const outcome = outcomes[index];
      if (outcome !== undefined) onPlaced(outcome);
    });
  }
}
