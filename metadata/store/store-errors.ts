import { DrystoneError, overloaded } from '../../common/errors.js';
import type { AccountName, AgentId, DeviceId, NamespaceId, NamespaceName } from '../../common/ids.js';
import { metadataLimits, trustLimits } from '../../common/limits.js';
import type { AgentRow, DeviceRow } from './rows.js';

/** NOT_FOUND: no namespace has this id, or this name. */
export function namespaceUnknown(namespace: NamespaceId | NamespaceName): DrystoneError {
  return new DrystoneError(
    'NOT_FOUND',
    'NAMESPACE_UNKNOWN',
    `there is no namespace ${namespace}; see 'drystone namespace list'`,
  );
}

/** ALREADY_EXISTS: the name is taken. */
export function namespaceExists(name: NamespaceName): DrystoneError {
  const message = `there is a namespace ${name} already; choose another name`;
  return new DrystoneError('ALREADY_EXISTS', 'NAMESPACE_EXISTS', message);
}

/** NOT_FOUND: no agent has this id, or one that was revoked. */
export function agentUnknown(agent: AgentId): DrystoneError {
  const message = `there is no agent ${agent}, or it was revoked; see 'drystone agent list'`;
  return new DrystoneError('NOT_FOUND', 'AGENT_UNKNOWN', message);
}

/** FAILED_PRECONDITION: the agent does not hold this namespace, or no longer. */
export function agentNotAssigned(agent: AgentId, namespace: NamespaceName): DrystoneError {
  const message = `agent ${agent} does not hold namespace ${namespace}; read its assignment again`;
  return new DrystoneError('FAILED_PRECONDITION', 'AGENT_NOT_ASSIGNED', message);
}

/** RESOURCE_EXHAUSTED: no number is left for another agent. */
export function tooManyAgents(): DrystoneError {
  return overloaded(`${metadataLimits.agents} agents have joined, no more can`, metadataLimits.retryAfterMs);
}

/** ALREADY_EXISTS: the name is taken. */
export function accountExists(name: AccountName): DrystoneError {
  const message = `there is an account ${name} already; choose another name`;
  return new DrystoneError('ALREADY_EXISTS', 'ACCOUNT_EXISTS', message);
}

/** NOT_FOUND: no account has this name. */
export function accountUnknown(name: AccountName): DrystoneError {
  const message = `there is no account ${name}; make it with 'drystone account create', or see 'drystone account list'`;
  return new DrystoneError('NOT_FOUND', 'ACCOUNT_UNKNOWN', message);
}

/** NOT_FOUND: no device has this id. */
export function deviceUnknown(device: DeviceId): DrystoneError {
  const message = `there is no device ${device}; see 'drystone device list'`;
  return new DrystoneError('NOT_FOUND', 'DEVICE_UNKNOWN', message);
}

/** FAILED_PRECONDITION: nobody could run the fleet any more. */
export function lastAdministrator(name: AccountName): DrystoneError {
  const message = `${name} is the only administrator; make another account one first`;
  return new DrystoneError('FAILED_PRECONDITION', 'LAST_ADMINISTRATOR', message);
}

/** FAILED_PRECONDITION: nobody could say any more who the members are. */
export function lastOwner(account: AccountName, namespace: NamespaceName): DrystoneError {
  const message = `${account} is the only owner of namespace ${namespace}; make another member one first`;
  return new DrystoneError('FAILED_PRECONDITION', 'LAST_OWNER', message);
}

/** UNAUTHENTICATED: the one-time token opens nothing. It does not say why: who guesses tokens is to learn nothing. */
export function tokenInvalid(): DrystoneError {
  const message = 'this one-time token has expired, was used, or was never issued; ask an administrator for a new one';
  return new DrystoneError('UNAUTHENTICATED', 'TOKEN_INVALID', message);
}

/** PERMISSION_DENIED: `identity`, such as `device ID`, was revoked for good. */
export function identityRevoked(identity: string): DrystoneError {
  const message = `${identity} was revoked and cannot come back with its key; join with a new key and a new token`;
  return new DrystoneError('PERMISSION_DENIED', 'IDENTITY_REVOKED', message);
}

/** PERMISSION_DENIED: a device cannot act for two accounts. */
export function deviceOfOtherAccount({ id, account }: DeviceRow): DrystoneError {
  const message = `device ${id} belongs to account ${account} already; log in with another key, in another home directory`;
  return new DrystoneError('PERMISSION_DENIED', 'ROLE_INSUFFICIENT', message);
}

/** PERMISSION_DENIED: an agent stays at the premises where it joined. */
export function agentOfOtherPremises({ id, premises }: AgentRow): DrystoneError {
  const message = `agent ${id} stands at ${premises} already; join with another key, in another data directory`;
  return new DrystoneError('PERMISSION_DENIED', 'ROLE_INSUFFICIENT', message);
}

/** RESOURCE_EXHAUSTED: one-time tokens have to be used, or to expire, before more are issued. */
export function tooManyTokens(): DrystoneError {
  const what = `${trustLimits.enrollmentTokens} one-time tokens wait to be redeemed or to expire, no more can be issued`;
  return overloaded(what, metadataLimits.retryAfterMs);
}

/** RESOURCE_EXHAUSTED: as {@link tooManyTokens}, of one account. */
export function tooManyTokensOf(account: AccountName): DrystoneError {
  const what = `${trustLimits.enrollmentTokensPerAccount} one-time tokens for devices of ${account} wait to be redeemed or to expire`;
  return overloaded(`${what}, no more can be issued`, metadataLimits.retryAfterMs);
}
