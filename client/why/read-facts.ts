import { DrystoneError, toDrystoneError } from '../../common/errors.js';
import type { ItemPath } from '../../common/feed/item.js';
import { parseNamespaceId, type DeviceId } from '../../common/ids.js';
import type { ProgramContext } from '../../common/program/context.js';
import { openChannel, type RpcChannel } from '../../common/rpc/client.js';
import { readAssignment } from '../connection/assignment.js';
import { openDeviceBriefly } from '../connection/device.js';
import { connectMetadata } from '../connection/metadata-calls.js';
import type { ReadConfig } from '../reader.js';
import type { Facts, ServiceFacts } from './facts.js';
import { readFolderFacts, type FolderAnswer } from './folder-facts.js';
import { readServiceFacts } from './service-facts.js';

/** A path that somebody looks for in vain. */
export interface Question extends ReadConfig {
  readonly path: ItemPath;
  /** Absolute: in the folder where it is looked for. */
  readonly directory: string;
  /** What to call a device when speaking to people. */
  readonly nameOf: (device: DeviceId) => Promise<string>;
}

/**
 * Asks metadata, looks at the folder and reads its state, without changing any of it. That metadata is away is a fact. Raises
 * FAILED_PRECONDITION (IDENTITY_MISSING) where the device has not logged in, and other errors of metadata.
 */
export async function readFacts(question: Question, context: ProgramContext): Promise<Facts> {
  const { namespace, path, directory } = question;
  const { transport } = await openDeviceBriefly(question, context);
  const channel = openChannel(question.metadata, transport.channelTo('metadata'));
  const facts = (service: ServiceFacts, { facts: folder }: FolderAnswer): Facts => {
    return { namespace, path, askedAtMs: context.clock.nowMs(), service, folder };
  };
  try {
    const { service, folder } = await ask(question, channel, context);
    return facts(service, folder);
  } catch (thrown) {
    return facts(failureOf(thrown), await readFolderFacts(directory, path, undefined));
  } finally {
    channel.close();
  }
}

async function ask(
  { namespace, path, directory, nameOf }: Question,
  channel: RpcChannel,
  { clock }: ProgramContext,
): Promise<{ readonly service: ServiceFacts; readonly folder: FolderAnswer }> {
  const assignment = await readAssignment(namespace, connectMetadata(channel), {});
  const namespaceId = parseNamespaceId('namespace_id', assignment.namespaceId);
  const folder = await readFolderFacts(directory, path, namespaceId);
  const found = await readServiceFacts({ channel, assignment, clock }, path, folder.livePaths);
  const authorName = found.item === undefined ? '' : await nameOf(found.item.author);
  return { service: { ...found, authorName }, folder };
}

/** What it means that metadata did not answer as it should. */
function failureOf(thrown: unknown): ServiceFacts {
  const error = toDrystoneError(thrown);
  if (error instanceof DrystoneError && error.reason === 'NAMESPACE_UNKNOWN') return { state: 'no member' };
  if (error.code === 'UNAVAILABLE' || error.code === 'DEADLINE_EXCEEDED') {
    return { state: 'unreachable', problem: error.message };
  }
  throw error;
}
