import { invalidArgument } from '../../../common/errors.js';
import { parseAccountName, parseAgentId, parseDeviceId, parsePremisesName } from '../../../common/ids.js';
import { trustLimits } from '../../../common/limits.js';
import type { Device } from '../../../proto/gen/drystone/metadata/v1/access.js';
import { callingDevice } from '../../requests/callers.js';
import { nextPageToken, parsePageSize, parsePageToken } from '../../requests/pages.js';
import type { DeviceRow } from '../../store/rows.js';
import { deviceUnknown } from '../../store/store-errors.js';
import { auditEntry } from '../../trust/audit-entry.js';
import type { IssuedToken } from '../../trust/enrollment-tokens.js';
import type { AccessHandlers, AccessParts } from './access-parts.js';
import { requireAccount } from './known-account.js';

/** AccessService, as far as it is about agents and devices: who may join, and who no longer may. */
export function holderHandlers({
  access,
  store,
  tokens,
  fleet,
  clock,
}: AccessParts): Pick<
  AccessHandlers,
  'issueAgentToken' | 'issueDeviceToken' | 'listDevices' | 'revokeDevice' | 'revokeAgent'
> {
  return {
    async issueAgentToken({ premises, validSeconds }, context) {
      const caller = callingDevice(context);
      await access.requireAdministrator(caller);
      const subject = { kind: 'agent', premises: parsePremisesName('premises', premises) } as const;
      return tokenToWire(await tokens.issue(caller, subject, parseValidity(validSeconds)));
    },
    async issueDeviceToken({ account, validSeconds }, context) {
      const caller = callingDevice(context);
      const subject = { kind: 'device', account: parseAccountName('account', account) } as const;
      if (subject.account !== caller.account) await access.requireAdministrator(caller);
      return tokenToWire(await tokens.issue(caller, subject, parseValidity(validSeconds)));
    },
    async listDevices({ account, pageSize, pageToken }, context) {
      const caller = callingDevice(context);
      const owner = account === '' ? undefined : parseAccountName('account', account);
      if (owner !== caller.account) await access.requireAdministrator(caller);
      if (owner !== undefined) await requireAccount(store, owner);
      const after = parsePageToken(pageToken, parseDeviceId);
      const page = await store.accounts.listDevices(owner, after, parsePageSize(pageSize));
      return { devices: page.rows.map(deviceToWire), nextPageToken: nextPageToken(page, ({ id }) => id) };
    },
    async revokeDevice({ deviceId }, context) {
      const caller = callingDevice(context);
      const id = parseDeviceId('device_id', deviceId);
      const device = await store.accounts.getDevice(id);
      if (device?.account !== caller.account) await access.requireAdministrator(caller);
      if (device === undefined) throw deviceUnknown(id);
      const deed = { action: 'device.revoke', subject: id, account: device.account } as const;
      const revoked = await store.accounts.revokeDevice(id, clock.nowMs(), auditEntry(clock, caller, deed));
      return { device: deviceToWire(revoked) };
    },
    async revokeAgent({ agentId }, context) {
      const caller = callingDevice(context);
      await access.requireAdministrator(caller);
      const id = parseAgentId('agent_id', agentId);
      const deed = { action: 'agent.revoke', subject: id } as const;
      await store.directory.revokeAgent(id, clock.nowMs(), auditEntry(clock, caller, deed));
      fleet.forget(id);
      return {};
    },
  };
}

function parseValidity(validSeconds: number): number {
  const { enrollmentTokenMs, enrollmentTokenMaxMs } = trustLimits;
  const validMs = validSeconds === 0 ? enrollmentTokenMs : validSeconds * 1000;
  if (validMs > enrollmentTokenMaxMs) {
    throw invalidArgument('valid_seconds', `must be at most ${enrollmentTokenMaxMs / 1000}, a week`);
  }
  return validMs;
}

function tokenToWire({ text, expiresAtMs }: IssuedToken): { token: string; expiresAtMs: bigint } {
  return { token: text, expiresAtMs: BigInt(expiresAtMs) };
}

function deviceToWire({ id, account, displayName, enrolledAtMs, revokedAtMs }: DeviceRow): Device {
  return {
    deviceId: id,
    account,
    displayName,
    enrolledAtMs: BigInt(enrolledAtMs),
    revokedAtMs: BigInt(revokedAtMs ?? 0),
  };
}
