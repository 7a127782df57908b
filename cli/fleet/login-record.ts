import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { homeUnreadable } from '../../client/connection/device.js';
import { invalidArgument } from '../../common/errors.js';
import { writeFileDurably } from '../../common/files/durable-file.js';
import { makeDirectory } from '../../common/files/make-directory.js';
import { METADATA_ADDRESS } from '../settings/sections.js';

const RECORD_FILE = 'fleet.json';

const recordSchema = v.object({
  /** HOST:PORT of the metadata service with which the device logged in. */
  metadata: v.string(),
});

/** Where a command of a client finds the fleet, as its settings say. */
export interface FleetSettings {
  readonly metadata: string | undefined;
  readonly home: string;
}

/** HOST:PORT of the metadata service: what a setting says, else where this device logged in, else the default. */
export async function metadataAddress({ metadata, home }: FleetSettings): Promise<string> {
  return metadata ?? (await readRecord(home)) ?? METADATA_ADDRESS;
}

/** Remembers with which metadata service the device whose home this is has logged in. */
export async function recordLogin(home: string, metadata: string): Promise<void> {
  await makeDirectory(home, 0o700);
  await writeFileDurably(join(home, RECORD_FILE), `${JSON.stringify({ metadata })}\n`, 0o600);
}

async function readRecord(home: string): Promise<string | undefined> {
  const path = join(home, RECORD_FILE);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw homeUnreadable(home, thrown);
  }
  try {
    return v.parse(recordSchema, JSON.parse(text)).metadata;
  } catch {
    throw invalidArgument(path, "is not as 'drystone login' writes it; remove it and say --metadata, or log in again");
  }
}
