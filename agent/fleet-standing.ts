import type { Logger } from '../common/logging.js';
import type { AssignedNamespaces } from './assigned-namespaces.js';
import type { KeptTokenKeys } from './token-keys.js';

/**
 * Whether this agent still belongs to the fleet.
 *
 * Once metadata has said that it does not, the agent answers nobody any more: it is no longer told who may read what, so
 * every answer would go by rules that may have passed. Its assignments and token keys are forgotten, durably, so that it
 * does not answer after a restart either, while metadata is away. Its blocks stay where they are, and the process goes
 * on, so that whoever looks after it finds the reason instead of a program that starts and ends for ever. It comes back
 * with a new key and a new one-time token only.
 */
export class FleetStanding {
  readonly #revoked = new AbortController();

  constructor(
    private readonly assigned: AssignedNamespaces,
    private readonly tokenKeys: KeptTokenKeys,
    private readonly logger: Logger,
  ) {}

  get isRevoked(): boolean {
    return this.revoked.aborted;
  }

  /** Aborts when the identity has been revoked. */
  get revoked(): AbortSignal {
    return this.#revoked.signal;
  }

  /** Metadata, and nobody else, has said that this agent is none of the fleet's. Never rejects. */
  async revoke(): Promise<void> {
    this.#revoked.abort();
    const advice = 'stop it; to let it join anew, give it an empty data directory and a new one-time token';
    this.logger.error(`THIS AGENT HAS BEEN REVOKED: it refuses everything from now on; ${advice}`);
    for (const kept of [this.assigned, this.tokenKeys]) {
      await kept.replace([]).catch((thrown: unknown) => {
        this.logger.error(
          { err: thrown },
          `${kept.path} could not be emptied; delete it before the agent starts again`,
        );
      });
    }
  }
}
