import { DrystoneError, invalidArgument } from '../common/errors.js';
import { parseNamespaceId, type NamespaceId } from '../common/ids.js';

/** The one namespace that a stream of the block protocol is about. */
export class StreamNamespace {
  #id: NamespaceId | undefined;

  /** @param isAssigned whether this server holds a namespace; it may change while the stream is open. */
  constructor(readonly isAssigned: (namespaceId: NamespaceId) => boolean) {}

  /**
   * The namespace that a request with this `namespace_id` is about. INVALID_ARGUMENT where the first has none or a later
   * one has another; NOT_FOUND (NAMESPACE_NOT_ASSIGNED) where this server does not hold it, or no longer.
   */
  of(field: string): NamespaceId {
    this.#id ??= parseNamespaceId('namespace_id', field);
    if (field !== '' && field !== this.#id) {
      throw invalidArgument('namespace_id', 'must not change within a stream; open another stream');
    }
    if (!this.isAssigned(this.#id)) {
      const message = `namespace ${this.#id} is not assigned to this server; ask the metadata service for its candidates`;
      throw new DrystoneError('NOT_FOUND', 'NAMESPACE_NOT_ASSIGNED', message);
    }
    return this.#id;
  }
}
