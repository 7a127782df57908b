import { invalidArgument } from '../common/errors.js';
import type { AccessRight } from '../common/identity/access-right.js';
import { parseNamespaceId, type NamespaceId } from '../common/ids.js';
import type { StreamAccess } from './block-access.js';

/** The one namespace that a stream of the block protocol is about. */
export class StreamNamespace {
  #id: NamespaceId | undefined;

  /** @param right what the stream's holder does with the namespace's blocks. */
  constructor(
    readonly access: StreamAccess,
    readonly right: AccessRight,
  ) {}

  /**
   * The namespace that a message with this `namespace_id` is about. INVALID_ARGUMENT where the first has none or a later
   * one has another; otherwise whatever `access.require` raises.
   */
  of(field: string): NamespaceId {
    this.#id ??= parseNamespaceId('namespace_id', field);
    if (field !== '' && field !== this.#id) {
      throw invalidArgument('namespace_id', 'must not change within a stream; open another stream');
    }
    this.access.require(this.#id, this.right);
    return this.#id;
  }
}
