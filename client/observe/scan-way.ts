import type { ItemPath } from '../../common/feed/item.js';
import { diskReader } from './folder-reader.js';
import { RuleSet } from './ignore-rules.js';
import type { Observation } from './observation.js';
import { hasGone, scanDirectory, scanProblem, type DirectoryScan, type DirectoryToScan } from './scan-directory.js';

/** How far one gets on the way from a folder's root to a path, as the disk is now. */
export type Way =
  /** The directory that the path lies in was looked at: what stands at the path, and how the disk calls that. */
  | {
      readonly outcome: 'seen';
      readonly directory: DirectoryScan;
      readonly diskPath: string;
      /** Undefined where nothing does that can be synced. */
      readonly standing: Observation | undefined;
    }
  /** A rule keeps this path, the one asked for or one above it, out of the sync. */
  | { readonly outcome: 'ignored'; readonly at: ItemPath }
  /** There is no directory at this path, above the one asked for. */
  | { readonly outcome: 'missing'; readonly at: ItemPath | ''; readonly standing: Observation | undefined }
  /** Something is in the way at this path that cannot be synced or looked into; why, for people. */
  | { readonly outcome: 'blocked'; readonly at: ItemPath | ''; readonly problem: string };

const ROOT: DirectoryToScan = { path: '', diskPath: '', rulesAbove: RuleSet.none };

/**
 * Looks at a path of a folder and at nothing else but the directories above it, by the same rules as a scan of the whole.
 * `kind` is what is expected there: rules can be for directories only.
 */
export function scanWay(root: string, path: ItemPath, kind: Observation['kind'] = 'file'): Way {
  const parts = path.split('/');
  let toScan = ROOT;
  for (const [index, part] of parts.entries()) {
    const scan = tryScan(root, toScan);
    if ('outcome' in scan) return scan;
    const at = parts.slice(0, index + 1).join('/') as ItemPath;
    const isLast = index === parts.length - 1;
    const found = [...scan.entries.values()].find(({ observation }) => observation.path === at);
    if (scan.rules.ignores(at, found?.observation.kind ?? (isLast ? kind : 'directory')))
      return { outcome: 'ignored', at };
    // A directory whose name stands for no path is not among the unseen, and there is no way through it either.
    const isBarred = scan.unseen.includes(at) || (found === undefined && !isLast);
    const problem = isBarred ? scan.problems.find(({ name }) => name === at)?.problem : undefined;
    if (problem !== undefined) return { outcome: 'blocked', at, problem };
    const diskName = found?.diskName ?? part;
    const diskPath = scan.diskPath === '' ? diskName : `${scan.diskPath}/${diskName}`;
    if (isLast) return { outcome: 'seen', directory: scan, diskPath, standing: found?.observation };
    if (found?.observation.kind !== 'directory') return { outcome: 'missing', at, standing: found?.observation };
    toScan = { path: at, diskPath, rulesAbove: scan.rules };
  }
  return { outcome: 'missing', at: '', standing: undefined };
}

function tryScan(root: string, directory: DirectoryToScan): DirectoryScan | Way {
  const at = directory.path;
  try {
    const steps = scanDirectory({ root, reader: diskReader }, directory, undefined);
    let step = steps.next();
    while (step.done !== true) step = steps.next();
    return step.value;
  } catch (error) {
    if (hasGone(error)) return { outcome: 'missing', at, standing: undefined };
    return { outcome: 'blocked', at, problem: scanProblem(error) };
  }
}
