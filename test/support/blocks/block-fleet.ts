import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { AccessGrant, AccessRight } from '../../../common/identity/access-right.js';
import { AccessTokenVerifier, signAccessToken, type TokenKey } from '../../../common/identity/access-tokens.js';
import type { HeldIdentity } from '../../../common/identity/held-identity.js';
import type { DeviceIdentity } from '../../../common/identity/identity.js';
import { systemClock, type Clock } from '../../../common/clock.js';
import type { AgentId, NamespaceId } from '../../../common/ids.js';
import { trustLimits } from '../../../common/limits.js';
import { rawPublicKey } from '../../../common/receipt.js';
import { TestAuthority } from '../trust/test-authority.js';
import { NAMESPACE, OTHER_NAMESPACE } from './sample-blocks.js';

/** A key that signs access tokens. */
export interface SigningTokenKey {
  readonly id: string;
  readonly privateKey: KeyObject;
}

/** Of which namespaces a token says what. */
export type Rights = readonly (readonly [NamespaceId, AccessRight])[];

const WRITE_ALL: Rights = [
  [NAMESPACE, 'write'],
  [OTHER_NAMESPACE, 'write'],
];

/** What block servers and devices need of a fleet: its CA, and metadata's key for access tokens. */
export class BlockFleet {
  private constructor(
    readonly authority: TestAuthority,
    readonly tokenKey: SigningTokenKey,
    readonly clock: Clock,
  ) {}

  /** @param clock by which tokens are issued and verified */
  static async create(clock: Clock = systemClock): Promise<BlockFleet> {
    return new BlockFleet(await TestAuthority.create(), newTokenKey('k1'), clock);
  }

  /** What agents are told of the key. */
  get tokenKeys(): TokenKey[] {
    const { id, privateKey } = this.tokenKey;
    return [{ id, publicKey: rawPublicKey(privateKey) }];
  }

  /** Verifies the fleet's access tokens. */
  verifier(): AccessTokenVerifier {
    const verifier = new AccessTokenVerifier(this.clock);
    verifier.replaceKeys(this.tokenKeys);
    return verifier;
  }

  /** An access token, issued now to a device unless `change` says otherwise. */
  token(
    device: HeldIdentity,
    rights: Rights = WRITE_ALL,
    { key = this.tokenKey, ...change }: Partial<AccessGrant> & { readonly key?: SigningTokenKey } = {},
  ): Promise<string> {
    const { deviceId, account } = deviceOf(device);
    const issuedAtMs = this.clock.nowMs();
    const expiresAtMs = issuedAtMs + trustLimits.accessTokenMs;
    const grant = { device: deviceId, account, namespaces: new Map(rights), issuedAtMs, expiresAtMs, ...change };
    return signAccessToken(grant, key);
  }
}

export function newTokenKey(id: string): SigningTokenKey {
  return { id, privateKey: generateKeyPairSync('ed25519').privateKey };
}

/** The identity of one who is a device. */
function deviceOf({ identity }: HeldIdentity): DeviceIdentity {
  if (identity.kind !== 'device') throw new Error(`this is a ${identity.kind}`);
  return identity;
}

/** The id of one who is an agent. */
export function agentIdOf({ identity }: HeldIdentity): AgentId {
  if (identity.kind !== 'agent') throw new Error(`this is a ${identity.kind}`);
  return identity.agentId;
}
