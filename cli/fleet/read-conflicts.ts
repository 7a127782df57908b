import { statSync } from 'node:fs';
import { conflictsIn, openConflicts, type OpenConflict } from '../../client/conflicts/open-conflicts.js';
import { withFolderView } from '../../client/folder-view.js';
import { DrystoneError } from '../../common/errors.js';
import type { Item } from '../../common/feed/item.js';
import { parseNamespaceName, type NamespaceName, type PremisesName } from '../../common/ids.js';
import { createProgramContext } from '../program-context.js';
import { explainUnreachable } from './fleet-connection.js';
import { metadataAddress, type FleetSettings } from './login-record.js';
import { requireReadable } from './readable-directory.js';

/** Where conflicts were looked for, and those that are open. */
export interface FoundConflicts {
  /** The synced folder; undefined where a namespace was asked. */
  readonly folder: string | undefined;
  readonly namespace: NamespaceName | undefined;
  readonly conflicts: readonly OpenConflict[];
}

type ReadSettings = FleetSettings & { readonly premises: PremisesName | undefined };

/**
 * The open conflicts of a synced folder, as its state knows them, where `directory` is in one; else of the namespace that is
 * called as was said, as metadata knows them.
 */
export async function readConflicts(where: string, directory: string, settings: ReadSettings): Promise<FoundConflicts> {
  const inFolder = await readFolder(directory);
  if (inFolder !== undefined) return inFolder;
  const namespace = namespaceNamed(where);
  return { folder: undefined, namespace, conflicts: openConflicts(await readNamespace(namespace, settings)) };
}

async function readFolder(directory: string): Promise<FoundConflicts | undefined> {
  await requireReadable(directory);
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true) return undefined;
  return withFolderView(directory, (folder) => {
    if (folder === undefined) return undefined;
    return { folder: folder.root, namespace: undefined, conflicts: conflictsIn(folder.trees) };
  });
}

function namespaceNamed(where: string): NamespaceName {
  try {
    return parseNamespaceName('DIR|NAMESPACE', where);
  } catch (thrown) {
    const message = `${where} is no synced folder, and no name of a namespace; go to a synced folder, or name one`;
    throw new DrystoneError(
      'INVALID_ARGUMENT',
      'FIELD_INVALID',
      message,
      { field: 'DIR|NAMESPACE' },
      { cause: thrown },
    );
  }
}

async function readNamespace(namespace: NamespaceName, settings: ReadSettings): Promise<Item[]> {
  const { listItems } = await import('../../client/reader.js');
  const metadata = await metadataAddress(settings);
  const config = { premises: settings.premises, metadata, namespace, homeDir: settings.home };
  const items: Item[] = [];
  try {
    for await (const { item } of listItems(config, createProgramContext('conflicts', 'silent'), '')) items.push(item);
  } catch (thrown) {
    throw explainUnreachable(metadata, thrown);
  }
  return items;
}
