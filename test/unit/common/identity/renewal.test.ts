import { writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DrystoneError } from '../../../../common/errors.js';
import type { HeldIdentity } from '../../../../common/identity/held-identity.js';
import { describeIdentity } from '../../../../common/identity/identity.js';
import { identityKeyPath, loadIdentity, storeCredential } from '../../../../common/identity/identity-files.js';
import { keepRenewed } from '../../../../common/identity/renewal.js';
import { silentLogger } from '../../../../common/logging.js';
import { trustLimits } from '../../../../common/limits.js';
import { mutualTls } from '../../../../common/rpc/transport-credentials.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { seededRandom } from '../../../support/seeded-random.js';
import { temporaryDirectory } from '../../../support/temporary-directory.js';
import { EnrollmentServer } from '../../../support/trust/enrollment-server.js';
import { TestAuthority } from '../../../support/trust/test-authority.js';
import { waitUntil } from '../../../support/wait-until.js';

const HOUR_MS = 3_600_000;
const { renewCheckMs, renewRetryMs } = trustLimits;

let authority: TestAuthority;
let server: EnrollmentServer;
let dir: string;
let held: HeldIdentity;
let clock: ManualClock;
let stop: AbortController;
let kept: Promise<void>;

beforeEach(async () => {
  authority = await TestAuthority.create();
  server = new EnrollmentServer(authority);
  await server.start();
  dir = temporaryDirectory();
  // Two thirds of its 30 hours have passed 10 hours from now.
  held = await authority.device('ana', { fromMs: -10 * HOUR_MS, untilMs: 20 * HOUR_MS });
  await writeFile(identityKeyPath(dir, 'device'), held.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  await storeCredential(dir, 'device', held.credential);
  server.times = { fromMs: 0, untilMs: 100 * HOUR_MS };
  clock = new ManualClock(held.credential.issuedAtMs + 10 * HOUR_MS);
  stop = new AbortController();
});

afterEach(async () => {
  stop.abort();
  await kept;
  await server.stop();
});

function keep(): void {
  kept = keepRenewed(
    {
      held,
      dir,
      name: 'device',
      address: server.address,
      transport: mutualTls(held),
      clock,
      random: seededRandom('renewal'),
      logger: silentLogger(),
    },
    stop.signal,
  );
}

const sleeps = (): Promise<number> => waitUntil<number>('it sleeps', () => clock.sleepingMs.at(0));

/** Moves time on by steps in which it looks at the time. */
async function advance(durationMs: number): Promise<void> {
  for (let leftMs = durationMs; leftMs > 0;) {
    const stepMs = Math.min(leftMs, await sleeps());
    clock.advance(stepMs);
    leftMs -= stepMs;
  }
}

const renewals = (count: number) => waitUntil(`renewal ${count}`, () => server.renewed.length === count);

describe('a certificate', () => {
  it('is renewed when two thirds of its time have passed, over the same key, and kept', async () => {
    const before = held.credential;
    keep();
    expect(await sleeps()).toBe(renewCheckMs);
    await advance(10 * HOUR_MS - 1000);
    await sleeps();
    expect(server.renewed).toEqual([]);
    await advance(1000);
    await renewals(1);
    await sleeps();
    expect(server.renewed).toEqual([describeIdentity(held.identity)]);
    expect(held.credential.expiresAtMs).toBeGreaterThan(before.expiresAtMs);
    expect((await loadIdentity(dir, 'device'))?.credential).toEqual(held.credential);
  });

  it('is renewed at once where that time has passed while nobody looked', async () => {
    clock.advance(15 * HOUR_MS);
    keep();
    clock.advance(0);
    await waitUntil('it has tried', () => {
      clock.advance(0);
      return server.renewed.length === 1;
    });
  });

  it('is renewed again and again, though never in a hurry: to a clock that is ahead, each is due at once', async () => {
    clock.advance(1000 * HOUR_MS);
    keep();
    clock.advance(0);
    for (let count = 1; count <= 3; count++) {
      await renewals(count);
      const waitMs = await sleeps();
      expect(waitMs).toBeGreaterThanOrEqual(renewRetryMs / 2);
      clock.advance(waitMs);
    }
  });

  it('that cannot be renewed goes on, and is tried again, each time a little differently', async () => {
    const before = held.credential;
    for (let failure = 0; failure < 3; failure++)
      server.failures.push(new DrystoneError('UNAVAILABLE', 'DRAINING', 'later'));
    clock.advance(11 * HOUR_MS);
    keep();
    clock.advance(0);
    const waits: number[] = [];
    for (let count = 1; count <= 3; count++) {
      await renewals(count);
      waits.push(await sleeps());
      expect(held.credential).toBe(before);
      clock.advance(waits.at(-1)!);
    }
    await renewals(4);
    await waitUntil('it is renewed', () => held.credential !== before);
    expect(new Set(waits).size).toBe(3);
    for (const waitMs of waits) {
      expect(waitMs).toBeGreaterThanOrEqual(renewRetryMs / 2);
      expect(waitMs).toBeLessThan(renewRetryMs * 1.5);
    }
  });

  it('is not exchanged for one that is not its holder’s, and survives a service that is gone', async () => {
    const before = held.credential;
    const { credential } = await authority.device('ben');
    server.answers.push({ ...credential, expiresAtMs: 0n });
    clock.advance(11 * HOUR_MS);
    keep();
    clock.advance(0);
    await renewals(1);
    await sleeps();
    expect(held.credential).toBe(before);
    const { address } = server;
    await server.stop();
    clock.advance(await sleeps());
    await sleeps();
    expect(held.credential).toBe(before);
    await server.start(address);
    await waitUntil('it is renewed', () => {
      clock.advance(clock.sleepingMs.at(0) ?? 0);
      return held.credential !== before;
    });
  });

  it('is looked after until the signal aborts', async () => {
    keep();
    await sleeps();
    stop.abort();
    await kept;
    expect(clock.sleepingMs).toEqual([]);
  });
});
