import * as v from 'valibot';
import { parseNamespaceId, type NamespaceId } from '../common/ids.js';
import type { TextKeeper } from '../common/files/text-keeper.js';
import { KeptFile } from './kept-file.js';

/** A namespace that this agent holds, as metadata said. */
export interface AssignedNamespace {
  readonly id: NamespaceId;
  readonly name: string;
  readonly epoch: number;
}

const fileSchema = v.object({
  namespaces: v.array(
    v.object({ id: v.string(), name: v.string(), epoch: v.pipe(v.number(), v.safeInteger(), v.minValue(0)) }),
  ),
});

/** The namespaces assigned to this agent, as metadata last said, kept in a file. */
export class AssignedNamespaces {
  #byId: ReadonlyMap<NamespaceId, AssignedNamespace>;
  readonly #listeners: (() => void)[] = [];

  private constructor(
    private readonly file: KeptFile,
    namespaces: readonly AssignedNamespace[],
  ) {
    this.#byId = index(namespaces);
  }

  /** Reads the file at `path`; none is the same as an empty one. INTERNAL (STORE_FAILED) where it cannot be understood. */
  static async load(path: string, keeper?: TextKeeper): Promise<AssignedNamespaces> {
    const parse = (json: unknown): AssignedNamespace[] =>
      v.parse(fileSchema, json).namespaces.map(({ id, ...rest }) => ({ id: parseNamespaceId('id', id), ...rest }));
    const { file, value = [] } = await KeptFile.load(path, 'its assignments', parse, keeper);
    return new AssignedNamespaces(file, value);
  }

  get path(): string {
    return this.file.path;
  }

  /** How many there are. */
  get count(): number {
    return this.#byId.size;
  }

  /** Their ids. */
  get ids(): readonly NamespaceId[] {
    return [...this.#byId.keys()];
  }

  /** Calls `listener` whenever metadata has said which there are, once that is in force. It must not throw. */
  onReplaced(listener: () => void): void {
    this.#listeners.push(listener);
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
    for (const listener of this.#listeners) listener();
    await this.file.keep({ namespaces: [...this.#byId.values()].sort((a, b) => (a.id < b.id ? -1 : 1)) });
  }
}

function index(namespaces: readonly AssignedNamespace[]): ReadonlyMap<NamespaceId, AssignedNamespace> {
  return new Map(namespaces.map((namespace) => [namespace.id, namespace]));
}
