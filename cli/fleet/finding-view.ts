import type { Facts, FolderFacts, ServiceFacts, SyncedFacts } from '../../client/why/facts.js';
import type { Finding } from '../../client/why/finding.js';
import type { Item } from '../../common/feed/item.js';
import { printable } from '../output/table.js';

/** What is in the way of a path, and what that was concluded from, as `--json` shows it. */
export interface FindingDocument extends Finding {
  readonly namespace: string;
  readonly path: string;
  readonly facts: { readonly service: object; readonly folder: object };
}

/** A finding and its facts for `--json`. */
export function findingDocument(finding: Finding, { namespace, path, service, folder }: Facts): FindingDocument {
  return { ...finding, namespace, path, facts: { service: serviceDocument(service), folder: folderDocument(folder) } };
}

/** A finding for people. */
export function formatFinding({ sentence, advice }: Finding): string {
  return advice === '' ? printable(sentence) : `${printable(sentence)}\n${printable(advice)}`;
}

function serviceDocument(service: ServiceFacts): object {
  return service.state === 'answered' ? { ...service, item: stateDocument(service.item) } : service;
}

function folderDocument(folder: FolderFacts): object {
  return folder.state === 'synced' ? syncedDocument(folder) : folder;
}

function syncedDocument(folder: SyncedFacts): object {
  const { root, syncedBy, cursor, way, nameProblem, diskTwin, denied, freeBytes } = folder;
  return {
    state: folder.state,
    root,
    syncedBy,
    cursor,
    namespaceHeld: stateDocument(folder.remote),
    agreedOn: stateDocument(folder.synced),
    saidAndNotAnswered: stateDocument(folder.offered),
    toldToAnAgent: stateDocument(folder.provisional),
    lastSeen: folder.local?.kind,
    onDisk: way.outcome === 'seen' ? way.standing?.kind : undefined,
    way: way.outcome,
    wayEndsAt: way.outcome === 'seen' ? undefined : way.at,
    nameProblem,
    diskTwin,
    denied,
    problems: folder.problems,
    freeBytes,
  };
}

function stateDocument(item: Item | undefined): object | undefined {
  if (item === undefined) return undefined;
  const { content, author, at, version, rivals } = item;
  const sizeBytes = content.kind === 'file' ? content.sizeBytes : undefined;
  return { kind: content.kind, sizeBytes, author, changedAtMs: at.wallMs, version, rivals: rivals.length };
}
