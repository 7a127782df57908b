import type { DirectoryPath, FolderRules, RuleSet } from './ignore-rules.js';
import type { ItemPath } from '../../common/feed/item.js';
import type { Observation, ScanProblem, ScanResult } from './observation.js';
import type { ScannedDirectories } from './scan-steps.js';

/** What the directories of a folder amount to, its rules told from those of the scan before. */
export function scanResultOf(
  directories: ScannedDirectories,
  rulesBefore: FolderRules,
): ScanResult & { readonly ignoreRules: FolderRules } {
  const observations = new Map<ItemPath, Observation>();
  const unseen = new Set<ItemPath>();
  const rules = new Map<DirectoryPath, RuleSet>();
  const diskPaths = new Map<ItemPath, string>();
  const problems: ScanProblem[] = [];
  for (const directory of directories.values()) {
    if (!('entries' in directory)) {
      const path = directory.path as ItemPath;
      observations.delete(path);
      unseen.add(path);
      if (directory.problem !== undefined) problems.push({ name: path, problem: directory.problem });
      continue;
    }
    if (directory.ignoreFileStamp !== undefined) rules.set(directory.path, directory.rules);
    for (const path of directory.unseen) unseen.add(path);
    problems.push(...directory.problems);
    for (const { diskName, observation } of directory.entries.values()) {
      observations.set(observation.path, observation);
      const diskPath = directory.diskPath === '' ? diskName : `${directory.diskPath}/${diskName}`;
      if (diskPath !== observation.path) diskPaths.set(observation.path, diskPath);
    }
  }
  return { observations, unseen, ignoreRules: rulesBefore.updatedTo(rules), diskPaths, problems };
}
