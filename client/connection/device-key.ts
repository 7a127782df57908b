import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { DeviceId } from '../../common/ids.js';
import { loadOrCreateSigningKey, type SigningKey } from '../../common/program/signing-key.js';

/** The key of this device, `device.key` in `homeDir`; both are made on first use. */
export async function loadDeviceKey(homeDir: string): Promise<SigningKey<DeviceId>> {
  await mkdir(homeDir, { recursive: true, mode: 0o700 });
  return loadOrCreateSigningKey<DeviceId>(join(homeDir, 'device.key'));
}
