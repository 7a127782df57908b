import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { DrystoneError } from '../common/errors.js';
import { writeFileDurably } from '../common/files/durable-file.js';
import { parseNamespaceId, type NamespaceId } from '../common/ids.js';

/** A namespace that this agent holds, as metadata said. */
export interface AssignedNamespace {
  readonly id: NamespaceId;
  readonly name: string;
  readonly epoch: number;
}

const fileSchema = z.object({
  namespaces: z.array(z.object({ id: z.string(), name: z.string(), epoch: z.number().int().nonnegative() })),
});

/**
 * The namespaces assigned to this agent, as metadata last said, kept in a file: an agent that starts while metadata is
 * away serves what it held before.
 */
export class AssignedNamespaces {
  #byId: ReadonlyMap<NamespaceId, AssignedNamespace>;
  /** What the file holds. */
  #kept: string | undefined;

  private constructor(
    readonly path: string,
    namespaces: readonly AssignedNamespace[],
    kept: string | undefined,
  ) {
    this.#byId = index(namespaces);
    this.#kept = kept;
  }

  /** Reads the file at `path`; none is the same as an empty one. INTERNAL (STORE_FAILED) where it cannot be understood. */
  static async load(path: string): Promise<AssignedNamespaces> {
    let text: string;
    try {
      text = await readFile(path, 'utf8');
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown;
      return new AssignedNamespaces(path, [], undefined);
    }
    try {
      const { namespaces } = fileSchema.parse(JSON.parse(text));
      const parsed = namespaces.map(({ id, ...rest }) => ({ id: parseNamespaceId('id', id), ...rest }));
      return new AssignedNamespaces(path, parsed, text);
    } catch (cause) {
      const message = `${path} is damaged; delete it, and the agent asks metadata for its assignments`;
      throw new DrystoneError('INTERNAL', 'STORE_FAILED', message, {}, { cause });
    }
  }

  /** How many there are. */
  get count(): number {
    return this.#byId.size;
  }

  /** Whether this agent holds the namespace. */
  holds(id: NamespaceId): boolean {
    return this.#byId.has(id);
  }

  /**
   * Takes over what metadata says now, at once; durable when the promise resolves. Where it cannot be written it is in
   * force all the same, and the next call tries again. To be called one at a time.
   */
  async replace(namespaces: readonly AssignedNamespace[]): Promise<void> {
    this.#byId = index(namespaces);
    const now = serialised(this.#byId);
    if (now === this.#kept) return;
    await writeFileDurably(this.path, now, 0o600);
    this.#kept = now;
  }
}

function index(namespaces: readonly AssignedNamespace[]): ReadonlyMap<NamespaceId, AssignedNamespace> {
  return new Map(namespaces.map((namespace) => [namespace.id, namespace]));
}

function serialised(byId: ReadonlyMap<NamespaceId, AssignedNamespace>): string {
  const namespaces = [...byId.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  return `${JSON.stringify({ namespaces }, undefined, 2)}\n`;
}
