import { DrystoneError, invalidArgument } from '../common/errors.js';
import { parseEnrollmentToken, type EnrollmentToken } from '../common/identity/enrollment-token.js';
import type { HeldIdentity } from '../common/identity/held-identity.js';
import type { AgentIdentity } from '../common/identity/identity.js';
import { loadIdentity } from '../common/identity/identity-files.js';
import { joinFleet } from '../common/identity/join.js';
import type { PremisesName } from '../common/ids.js';
import type { ProgramContext } from '../common/program/context.js';
import type { AgentConfig } from './config.js';

/** Who an agent is, and how it proves it. */
export interface AgentCredentials {
  readonly identity: AgentIdentity;
  readonly held: HeldIdentity;
}

type IdentityConfig = Pick<AgentConfig, 'dataDir' | 'metadata' | 'join' | 'premises'>;

/** A token as it is configured. */
interface JoinToken {
  readonly text: string;
  readonly token: EnrollmentToken & { readonly subject: { readonly kind: 'agent' } };
}

/** Reads `join` and compares it with `premises`. INVALID_ARGUMENT that names the one to be changed; it repeats no secret. */
export function parseJoinToken({ join, premises }: IdentityConfig): JoinToken | undefined {
  if (join === undefined) return undefined;
  const token = parseEnrollmentToken('join', join);
  const { subject } = token;
  if (subject.kind !== 'agent') {
    throw invalidArgument('join', 'is the token of a device; for an agent `drystone agent token` makes one');
  }
  checkPremises(premises, subject.premises, 'the one-time token');
  return { text: join, token: { ...token, subject } };
}

/**
 * The identity in the agent's data directory, or a new one by its one-time token, which is redeemed only where there is
 * none in force. FAILED_PRECONDITION: IDENTITY_MISSING where there is neither, CERTIFICATE_EXPIRED where the identity has
 * ended and there is no token, FIELD_INVALID where it is for other premises than the configuration or the token says.
 * Otherwise the errors of `loadIdentity` and `joinFleet`.
 */
export async function openAgentIdentity(
  config: IdentityConfig,
  { clock, random, logger }: Pick<ProgramContext, 'clock' | 'random' | 'logger'>,
): Promise<AgentCredentials> {
  const join = parseJoinToken(config);
  const stored = await loadIdentity(config.dataDir, 'agent');
  if (stored !== undefined && stored.credential.expiresAtMs > clock.nowMs()) {
    const credentials = asAgent(stored);
    const { premises } = credentials.identity;
    checkPremises(config.premises, premises, "the agent's certificate");
    if (join !== undefined) {
      checkPremises(join.token.subject.premises, premises, "the agent's certificate", 'join');
      logger.info('this agent has joined before; its one-time token is not needed and may be removed');
    }
    return credentials;
  }
  if (join === undefined) throw stored === undefined ? identityMissing(config) : certificateExpired(stored);
  const { dataDir: dir, metadata: address } = config;
  const joined = await joinFleet({
    address,
    token: join.token,
    tokenText: join.text,
    dir,
    displayName: '',
    clock,
    random,
  });
  const credentials = asAgent(joined);
  logger.info({ agent: credentials.identity.agentId, premises: credentials.identity.premises }, 'joined the fleet');
  return credentials;
}

function checkPremises(
  given: PremisesName | undefined,
  certified: PremisesName,
  by: string,
  field: 'premises' | 'join' = 'premises',
): void {
  if (given === undefined || given === certified) return;
  const advice =
    field === 'premises'
      ? 'leave it out, or use a token for those premises'
      : 'an agent that moves joins anew, in an empty data directory';
  const message = `${field}: is for ${given}, but ${by} is for ${certified}; ${advice}`;
  throw new DrystoneError('FAILED_PRECONDITION', 'FIELD_INVALID', message, { field });
}

function asAgent(held: HeldIdentity): AgentCredentials {
  const { identity } = held;
  if (identity.kind === 'agent') return { identity, held };
  throw new DrystoneError('INTERNAL', 'INTERNAL', `an agent was given the identity of a ${identity.kind}`);
}

function identityMissing({ dataDir }: IdentityConfig): DrystoneError {
  const message =
    `there is no identity in ${dataDir}; get a one-time token by \`drystone agent token --premises NAME\`, ` +
    'and start the agent with it, by --join-file or --join';
  return new DrystoneError('FAILED_PRECONDITION', 'IDENTITY_MISSING', message);
}

function certificateExpired({ credential }: HeldIdentity): DrystoneError {
  const message =
    `the agent's certificate ended on ${new Date(credential.expiresAtMs).toISOString()} without having been renewed; ` +
    'get a one-time token by `drystone agent token`, and start the agent with it once: its key and blocks stay';
  return new DrystoneError('FAILED_PRECONDITION', 'CERTIFICATE_EXPIRED', message);
}
