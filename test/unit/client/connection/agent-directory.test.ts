import { beforeEach, expect, it } from 'vitest';
import { AccessTokens } from '../../../../client/connection/access-tokens.js';
import { AgentDirectory } from '../../../../client/connection/agent-directory.js';
import { DrystoneError } from '../../../../common/errors.js';
import type { AgentId } from '../../../../common/ids.js';
import { clientLimits } from '../../../../common/limits.js';
import { AgentState } from '../../../../proto/gen/drystone/metadata/v1/account.js';
import { ManualClock } from '../../../support/manual-clock.js';

const [full, roomy] = ['a', 'b'].map((letter) => letter.repeat(32) as AgentId) as [AgentId, AgentId];
const never = (): never => {
  throw new Error('nobody is called here');
};

let clock: ManualClock;
let agents: AgentDirectory;

beforeEach(() => {
  clock = new ManualClock();
  agents = new AgentDirectory(never, new AccessTokens({ account: { issueAccessToken: never }, clock }), clock);
  const candidates = [full, roomy].map((agentId) => {
    return { agentId, premises: 'here', address: 'here:1', state: AgentState.ONLINE };
  });
  agents.update({ namespaceId: '0'.repeat(32), namespaceName: 'docs', epoch: 1n, candidates });
});

function failing(): AgentId[] {
  return agents.candidates().flatMap(({ agentId, isFailing }) => (isFailing ? [agentId] : []));
}

it('an agent that has failed comes last for a while', () => {
  agents.noteFailure(full, new DrystoneError('UNAVAILABLE', 'TRANSPORT', 'it is away'));
  clock.advance(clientLimits.agentPauseMs - 1);
  expect(failing()).toEqual([full]);
  clock.advance(1);
  expect(failing()).toEqual([]);
});

it('one that asks for more time than that is given it: its disk is still full when the others have been tried', () => {
  const retryAfterMs = 3 * clientLimits.agentPauseMs;
  agents.noteFailure(full, new DrystoneError('RESOURCE_EXHAUSTED', 'DISK_FULL', 'full', { retryAfterMs }));
  clock.advance(retryAfterMs);
  expect(failing()).toEqual([full]);
  expect(agents.hasTaker).toBe(true);
  agents.noteFailure(roomy, new DrystoneError('UNAVAILABLE', 'TRANSPORT', 'it is away'));
  expect(agents.hasTaker).toBe(false);
});
