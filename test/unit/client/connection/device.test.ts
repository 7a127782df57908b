import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { openDevice, openDeviceBriefly } from '../../../../client/connection/device.js';
import { systemClock } from '../../../../common/clock.js';
import { furnishHome } from '../../../support/client/device-home.js';
import { testContext } from '../../../support/client/in-process-fleet.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { temporaryDirectory } from '../../../support/temporary-directory.js';
import { EnrollmentServer } from '../../../support/trust/enrollment-server.js';
import { TestAuthority } from '../../../support/trust/test-authority.js';

const HOUR_MS = 3_600_000;

let server: EnrollmentServer;
let homeDir: string;
let expiresAtMs: number;

beforeEach(async () => {
  const authority = await TestAuthority.create();
  server = new EnrollmentServer(authority);
  await server.start();
  onTestFinished(() => server.stop());
  server.times = { fromMs: 0, untilMs: 100 * HOUR_MS };
  homeDir = temporaryDirectory();
  const held = await authority.device('ana', { fromMs: -10 * HOUR_MS, untilMs: 20 * HOUR_MS });
  ({ expiresAtMs } = held.credential);
  await furnishHome(homeDir, held);
});

/** Opens the device for something short when it is so many hours before its certificate ends. */
async function openBefore(hoursLeft: number, metadata = server.address): Promise<void> {
  const clock = new ManualClock(expiresAtMs - hoursLeft * HOUR_MS);
  await openDeviceBriefly({ homeDir, metadata }, { ...testContext(), clock });
}

async function storedUntilMs(): Promise<number> {
  return (await openDevice(homeDir)).held.credential.expiresAtMs;
}

it('who only ever does something short keeps a certificate that counts', async () => {
  await openBefore(11);
  expect(await storedUntilMs()).toBe(expiresAtMs);
  await openBefore(9);
  expect(await storedUntilMs()).toBeGreaterThan(systemClock.nowMs() + 99 * HOUR_MS);
});

it('a renewal that fails is left for the next time', async () => {
  await openBefore(9, '127.0.0.1:9');
  expect(await storedUntilMs()).toBe(expiresAtMs);
});
