import { AccessTokens } from '../../client/connection/access-tokens.js';
import { openDevice } from '../../client/connection/device.js';
import type { Clock } from '../../common/clock.js';
import { toDrystoneError, type ErrorCode, type ErrorReason } from '../../common/errors.js';
import { parseAgentId, type NamespaceId } from '../../common/ids.js';
import { openChannel } from '../../common/rpc/client.js';
import { AccountServiceService, type Candidate } from '../../proto/gen/drystone/metadata/v1/account.js';
import { connectBlockServer } from '../../server/block-client.js';
import { withFleet } from '../fleet/fleet-connection.js';

/** The account whose device is in the fleet and in no namespace. */
export const STRANGER = 'eve';

const REFUSALS: readonly ErrorCode[] = ['UNAUTHENTICATED', 'PERMISSION_DENIED', 'NOT_FOUND'];

/** What the stranger knows, and has stolen. */
export interface StrangersLoot {
  readonly metadata: string;
  readonly namespaceId: NamespaceId;
  /** An agent that holds the block. */
  readonly agent: Candidate;
  /** The block's hash. */
  readonly hash: Uint8Array;
  /** Where a member's device has its key: its access token is used, not its certificate. */
  readonly memberHome: string;
}

/** Why the stranger was refused; undefined where it was not. */
export interface StrangerResult {
  /** The site whose agent was asked. */
  readonly askedAt: string;
  /** When it asked metadata for access. */
  readonly accessRefused: ErrorReason | undefined;
  /** When it asked the agent for the block, with the token of a member. */
  readonly blockRefused: ErrorReason | undefined;
}

/** Tries to get at a block of a namespace as a device that is no member of it. */
export async function tryAsStranger(
  home: string,
  { metadata, namespaceId, agent, hash, memberHome }: StrangersLoot,
  clock: Clock,
  signal: AbortSignal,
): Promise<StrangerResult> {
  const tokenAt = (homeDir: string): Promise<string> =>
    withFleet({ metadata, home: homeDir }, ({ channel }) => {
      return new AccessTokens({ account: channel.service(AccountServiceService), clock }).tokenFor(namespaceId);
    });
  const stolen = await tokenAt(memberHome);
  const { transport } = await openDevice(home);
  const channel = openChannel(agent.address, transport.channelTo(parseAgentId('agent_id', agent.agentId)));
  try {
    const blocks = connectBlockServer(channel, clock, () => Promise.resolve(stolen));
    const askForBlock = async (): Promise<void> => {
      await blocks.get(namespaceId, only(hash), { signal }).next();
    };
    const accessRefused = await refusalOf(tokenAt(home));
    return { askedAt: agent.premises, accessRefused, blockRefused: await refusalOf(askForBlock()) };
  } finally {
    channel.close();
  }
}

/** Why an attempt was refused, undefined where it was not; raises what is no refusal, such as that nobody answers. */
async function refusalOf(attempt: Promise<unknown>): Promise<ErrorReason | undefined> {
  try {
    await attempt;
    return undefined;
  } catch (thrown) {
    const { code, reason } = toDrystoneError(thrown);
    if (!REFUSALS.includes(code)) throw thrown;
    return reason;
  }
}

async function* only<T>(value: T): AsyncGenerator<T, void, undefined> {
  yield value;
}
