import { checkPackedHashes, hashCount } from '../../common/block-hash.js';
import { invalidArgument } from '../../common/errors.js';
import type { DeviceIdentity } from '../../common/identity/identity.js';
import { parseAgentId, parseNamespaceId, type AgentId } from '../../common/ids.js';
import type { FindMissingRequest, FindMissingResponse } from '../../proto/gen/drystone/metadata/v1/presence.js';
import type { PresenceMetrics } from '../metrics.js';
import { StreamField } from '../requests/stream-field.js';
import type { PresenceStore } from '../store/contract.js';
import type { NamespaceRow } from '../store/rows.js';
import { agentNotAssigned } from '../store/store-errors.js';
import type { Access } from '../trust/access.js';

export interface FindMissingParts {
  readonly access: Access;
  readonly presence: PresenceStore;
  readonly metrics: PresenceMetrics;
}

/** One call of PresenceService.FindMissing: what a target lacks or, without one, how much each candidate lacks. */
export class FindMissingStream {
  readonly #namespace = new StreamField('namespace_id', parseNamespaceId);
  /** Undefined until the first request has said whether there is a target. */
  #target: { readonly agent: AgentId | undefined } | undefined;

  constructor(
    readonly parts: FindMissingParts,
    readonly caller: DeviceIdentity,
  ) {}

  /** Answers one request. Membership and assignment are read each time: they may change while the stream is open. */
  async answer(request: FindMissingRequest): Promise<FindMissingResponse> {
    const { access, presence, metrics } = this.parts;
    const namespaceId = this.#namespace.of(request.namespaceId);
    const target = this.#targetOf(request.targetAgentId);
    const namespace = await access.authorise(this.caller, namespaceId, 'editor');
    const asked = checkPackedHashes('hashes', request.hashes);
    if (target === undefined) {
      metrics.hashesAsked.inc(asked);
      return this.#compare(namespace, request.hashes);
    }
    if (!namespace.agents.includes(target)) throw agentNotAssigned(target, namespace.name);
    const missingHashes = await presence.findMissing(namespaceId, target, request.hashes);
    metrics.hashesAsked.inc(asked);
    metrics.hashesMissing.inc(hashCount(missingHashes));
    return { missingHashes, candidates: [] };
  }

  async #compare(namespace: NamespaceRow, hashes: Uint8Array): Promise<FindMissingResponse> {
    const counts = await this.parts.presence.countMissing(namespace.id, namespace.agents, hashes);
    const candidates = namespace.agents.map((agentId, index) => ({ agentId, missingCount: counts[index] ?? 0 }));
    return { missingHashes: new Uint8Array(0), candidates };
  }

  #targetOf(value: string): AgentId | undefined {
    this.#target ??= { agent: value === '' ? undefined : parseAgentId('target_agent_id', value) };
    if (value !== '' && value !== this.#target.agent) {
      throw invalidArgument('target_agent_id', 'must be set in the first message and not change; open another stream');
    }
    return this.#target.agent;
  }
}
