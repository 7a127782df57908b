import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../common/clock.js';
import { writeFileDurably } from '../../common/files/durable-file.js';
import { parseEnrollmentToken } from '../../common/identity/enrollment-token.js';
import { parseAccountName, type AccountName, type DeviceId } from '../../common/ids.js';
import { trustLimits } from '../../common/limits.js';
import { allRows } from '../directory/all-rows.js';
import type { AccountStore } from '../store/contract.js';
import type { AccountRow, DeviceRow } from '../store/rows.js';
import { auditEntry } from './audit-entry.js';
import type { EnrollmentTokens } from './enrollment-tokens.js';

const TOKEN_FILE = 'admin.token';
const FIRST_ADMINISTRATOR = parseAccountName('account', 'admin');

export interface FirstAdministratorParts {
  readonly dataDir: string;
  readonly accounts: AccountStore;
  readonly tokens: EnrollmentTokens;
  readonly clock: Clock;
}

/**
 * Sees to it that somebody can run the fleet. As long as no administrator has a device that counts, or where `recover`
 * says so, DATA/admin.token (0600) holds a one-time token for a device of an administrator; the account `admin` is made
 * where there is none. Returns the path of that file; where none is needed it is removed, and the answer is undefined.
 */
export async function provideFirstAdministrator(
  parts: FirstAdministratorParts,
  recover: boolean,
): Promise<string | undefined> {
  const path = join(parts.dataDir, TOKEN_FILE);
  const administrators = await listAdministrators(parts.accounts);
  if (!recover && (await hasDevice(parts.accounts, administrators))) {
    await rm(path, { force: true });
    return undefined;
  }
  const account = administrators.find((name) => name === FIRST_ADMINISTRATOR) ?? administrators[0];
  const named = account ?? (await makeAdministrator(parts));
  if (!(await holdsOpenToken(path, named, parts))) {
    const subject = { kind: 'device', account: named } as const;
    const token = await parts.tokens.issue({ kind: 'metadata' }, subject, trustLimits.enrollmentTokenMaxMs);
    await writeFileDurably(path, `${token.text}\n`, 0o600);
  }
  return path;
}

/** Whether the file's token can still be redeemed for long enough: a service that restarts in a loop issues no more. */
async function holdsOpenToken(path: string, account: AccountName, parts: FirstAdministratorParts): Promise<boolean> {
  const { tokens, clock } = parts;
  try {
    const token = parseEnrollmentToken(TOKEN_FILE, await readFile(path, 'utf8'));
    if (token.subject.kind !== 'device' || token.subject.account !== account) return false;
    const issued = await tokens.find(token);
    return (
      issued !== undefined &&
      issued.redeemedBy === undefined &&
      issued.expiresAtMs >= clock.nowMs() + trustLimits.enrollmentTokenMs &&
      token.caFingerprint.equals(tokens.parts.pinned)
    );
  } catch {
    // No file, or something else in it: either way there is no token.
    return false;
  }
}

async function makeAdministrator({ accounts, clock }: FirstAdministratorParts): Promise<AccountName> {
  const name = FIRST_ADMINISTRATOR;
  const role = 'administrator';
  const deed = { subject: name, account: name, facts: { role } };
  const actor = { kind: 'metadata' } as const;
  if ((await accounts.getAccount(name)) === undefined) {
    const account = { name, role, createdAtMs: clock.nowMs() } as const;
    await accounts.createAccount(account, auditEntry(clock, actor, { action: 'account.create', ...deed }));
  } else {
    await accounts.setAccountRole(name, role, auditEntry(clock, actor, { action: 'account.role', ...deed }));
  }
  return name;
}

async function listAdministrators(accounts: AccountStore): Promise<AccountName[]> {
  const administrators: AccountName[] = [];
  const all = allRows<AccountRow, AccountName>(
    (after, limit) => accounts.listAccounts(after, limit),
    ({ name }) => name,
  );
  for await (const { name, role } of all) if (role === 'administrator') administrators.push(name);
  return administrators;
}

async function hasDevice(accounts: AccountStore, owners: readonly AccountName[]): Promise<boolean> {
  for (const owner of owners) {
    const all = allRows<DeviceRow, DeviceId>(
      (after, limit) => accounts.listDevices(owner, after, limit),
      ({ id }) => id,
    );
    for await (const { revokedAtMs } of all) if (revokedAtMs === undefined) return true;
  }
  return false;
}
