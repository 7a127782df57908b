import type { HeldIdentity } from '../../../common/identity/held-identity.js';
import { credentialOf, HeldIdentity as Held } from '../../../common/identity/held-identity.js';
import { sampleAgent } from '../metadata/samples.js';
import { certificateNaming } from '../trust/odd-certificates.js';
import { newKey, TestAuthority, validity } from '../trust/test-authority.js';
import type { FleetUnderAttack } from './fleet-under-attack.js';

/** What a certificate is, beside that of somebody. */
export type HolderKind = 'device' | 'agent';

/** Those whose certificate does not count, whatever they call. */
export const oddCallers = ['nobody', 'wrong CA', 'nameless', 'expired', 'not yet', 'not enrolled', 'revoked'] as const;
export type OddCaller = (typeof oddCallers)[number];

/** An odd caller that calls itself a device or an agent; undefined where it shows no certificate at all. */
export async function makeOddCaller(
  fleet: FleetUnderAttack,
  caller: OddCaller,
  kind: HolderKind,
): Promise<HeldIdentity | undefined> {
  const { authority } = fleet;
  switch (caller) {
    case 'nobody':
      return undefined;
    case 'wrong CA': {
      const stranger = await (await TestAuthority.create())[kind]();
      return withCertificate(fleet, stranger, stranger.credential.certificateChain);
    }
    case 'nameless': {
      const held = await authority[kind]();
      return withCertificate(fleet, held, await certificateNaming(authority, held.privateKey, []));
    }
    case 'expired':
      return authority[kind](undefined, validity.past);
    case 'not yet':
      return authority[kind](undefined, validity.future);
    case 'not enrolled':
      return authority[kind]();
    case 'revoked':
      return revoked(fleet, kind);
  }
}

/** One who verifies the fleet's servers, and shows them another certificate than his. */
function withCertificate({ authority }: FleetUnderAttack, held: HeldIdentity, chain: string): HeldIdentity {
  return new Held(held.identity, held.privateKey, credentialOf(chain, authority.ca.trustedPem));
}

async function revoked({ metadata }: FleetUnderAttack, kind: HolderKind): Promise<HeldIdentity> {
  const { access } = metadata.calls;
  if (kind === 'device') {
    const { held, identity } = await metadata.asDevice('revoked');
    await access.revokeDevice({ deviceId: identity.deviceId });
    return held;
  }
  const agent = sampleAgent(`revoked ${newKey().id}`);
  const { held } = await metadata.asAgent(agent);
  await access.revokeAgent({ agentId: agent.id });
  return held;
}
