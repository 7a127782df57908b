import { BoundedQueue } from '../../../common/concurrency/bounded-queue.js';
import type { TokenKey } from '../../../common/identity/access-tokens.js';
import type { AgentId } from '../../../common/ids.js';
import { AgentState } from '../../../proto/gen/drystone/metadata/v1/account.js';
import type { HeartbeatRequest, HeartbeatResponse } from '../../../proto/gen/drystone/metadata/v1/fleet.js';
import type { MetadataCalls } from './calls.js';

/** An agent's heartbeats as a test sends them. */
export interface HeartbeatLine {
  /** The names of the namespaces that the agent was told of last, in alphabetical order; undefined before the first word. */
  readonly assigned: readonly string[] | undefined;
  /** The keys that sign access tokens, as it was told of last. */
  readonly tokenKeys: readonly TokenKey[];
  /** How the call ended. */
  readonly ended: Promise<unknown>;
  beat(change?: Partial<HeartbeatRequest>): void;
  hangUp(): void;
}

const FULL_REPORT = {
  state: AgentState.ONLINE,
  freeBytes: 100_000_000_000n,
  totalBytes: 200_000_000_000n,
  freeFloorBytes: 1_000_000_000n,
  blockCount: 3n,
  blockBytes: 30n,
};

/** Opens a heartbeat stream and waits for the first answer; rejects where the stream ends before. */
export async function openHeartbeat(
  calls: MetadataCalls,
  agentId: AgentId,
  change: Partial<HeartbeatRequest> = {},
): Promise<HeartbeatLine> {
  const reports = new BoundedQueue<HeartbeatRequest>(100);
  const beat = (other: Partial<HeartbeatRequest> = {}): void => {
    void reports.push({ ...FULL_REPORT, agentId, ...other });
  };
  beat(change);
  const answers = calls.fleet.heartbeat(reports);
  const first = await answers.next();
  let last = first.done === true ? undefined : first.value;
  const listen = async (): Promise<void> => {
    for await (const answer of answers) last = answer;
  };
  const ended = listen().catch((thrown: unknown) => thrown);
  return {
    get assigned() {
      return namesOf(last);
    },
    get tokenKeys() {
      return last?.tokenKeys.map(({ keyId, publicKey }) => ({ id: keyId, publicKey })) ?? [];
    },
    ended,
    beat,
    hangUp: () => reports.end(),
  };
}

function namesOf(answer: HeartbeatResponse | undefined): string[] | undefined {
  return answer?.assignments.map(({ namespaceName }) => namespaceName).sort();
}
