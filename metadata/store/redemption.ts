import type { AgentId, DeviceId } from '../../common/ids.js';
import type { NewHolder } from './contract.js';
import type { AgentRow, DeviceRow, EnrollmentTokenRow } from './rows.js';
import { agentOfOtherPremises, deviceOfOtherAccount, identityRevoked, tokenInvalid } from './store-errors.js';

type HolderOf<Kind extends NewHolder['kind']> = Extract<NewHolder, { readonly kind: Kind }>;

/** The id of who redeems a token. */
export function holderId(holder: NewHolder): AgentId | DeviceId {
  return holder.kind === 'agent' ? holder.agent.id : holder.device.id;
}

/** `token`, where `holder` may redeem it at `atMs`; UNAUTHENTICATED (TOKEN_INVALID). */
export function redeemable(token: EnrollmentTokenRow | undefined, holder: NewHolder, atMs: number): EnrollmentTokenRow {
  if (token === undefined || token.expiresAtMs <= atMs || !isMeantFor(token, holder)) throw tokenInvalid();
  return token;
}

/**
 * The agent as it becomes known; undefined where it is known already. PERMISSION_DENIED (IDENTITY_REVOKED,
 * ROLE_INSUFFICIENT).
 */
export function newAgent(
  known: AgentRow | undefined,
  { agent }: HolderOf<'agent'>,
  atMs: number,
): AgentRow | undefined {
  if (known === undefined) {
    return { ...agent, enrolledAtMs: atMs, revokedAtMs: undefined, address: '', softwareVersion: '' };
  }
  if (known.revokedAtMs !== undefined) throw identityRevoked(`agent ${known.id}`);
  if (known.premises !== agent.premises) throw agentOfOtherPremises(known);
  return undefined;
}

/** As {@link newAgent}, for a device. */
export function newDevice(
  known: DeviceRow | undefined,
  { device }: HolderOf<'device'>,
  atMs: number,
): DeviceRow | undefined {
  if (known === undefined) return { ...device, enrolledAtMs: atMs, revokedAtMs: undefined };
  if (known.revokedAtMs !== undefined) throw identityRevoked(`device ${known.id}`);
  if (known.account !== device.account) throw deviceOfOtherAccount(known);
  return undefined;
}

function isMeantFor({ subject, redeemedBy }: EnrollmentTokenRow, holder: NewHolder): boolean {
  if (redeemedBy !== undefined && redeemedBy !== holderId(holder)) return false;
  return subject.kind === 'agent'
    ? holder.kind === 'agent' && holder.agent.premises === subject.premises
    : holder.kind === 'device' && holder.device.account === subject.account;
}
