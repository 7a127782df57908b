import { DrystoneError, overloaded } from '../../common/errors.js';
import type { AgentId, Cursor, DeviceId, NamespaceId, NamespaceName } from '../../common/ids.js';
import { metadataLimits } from '../../common/limits.js';

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

/** NOT_FOUND: no agent has this id. */
export function agentUnknown(agent: AgentId): DrystoneError {
  return new DrystoneError('NOT_FOUND', 'AGENT_UNKNOWN', `agent ${agent} is not known; it has to register first`);
}

/** FAILED_PRECONDITION: the agent does not hold this namespace, or no longer. */
export function agentNotAssigned(agent: AgentId, namespace: NamespaceName): DrystoneError {
  const message = `agent ${agent} does not hold namespace ${namespace}; read its assignment again`;
  return new DrystoneError('FAILED_PRECONDITION', 'AGENT_NOT_ASSIGNED', message);
}

/** ALREADY_EXISTS: a device cannot act for two accounts. */
export function deviceOfOtherAccount(device: DeviceId): DrystoneError {
  const message = `device ${device} belongs to another account; use another device key`;
  return new DrystoneError('ALREADY_EXISTS', 'DEVICE_OF_OTHER_ACCOUNT', message);
}

/** OUT_OF_RANGE: the reader holds the state of another feed. */
export function cursorAhead(cursor: Cursor, end: Cursor): DrystoneError {
  const message = `cursor ${cursor} is beyond the feed's end, ${end}; read the feed again from 0`;
  return new DrystoneError('OUT_OF_RANGE', 'CURSOR_AHEAD', message);
}

/** RESOURCE_EXHAUSTED: no number is left for another agent. */
export function tooManyAgents(): DrystoneError {
  return overloaded(`${metadataLimits.agents} agents are registered, no more can be`, metadataLimits.retryAfterMs);
}
