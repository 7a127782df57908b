import { relative } from 'node:path';
import { clientLimits } from '../../common/limits.js';

/** Why a folder cannot be watched. */
export interface WatchFailure {
  /** For people: what the system said, and what to do about it where that is known. */
  readonly cause: string;
  /** Trying again at once would end the same way. */
  readonly isLasting: boolean;
}

/** How the system's watcher says at which directory it failed, and with what. */
const AT_DIRECTORY = /^inotify_add_watch on '(.*)' failed: (.*)$/s;
const TOO_MANY_WATCHED = 'No space left on device';
const TOO_MANY_WATCHERS = 'Too many open files';
const PATH_TOO_LONG = 'File name too long';

/**
 * What a message of the system's watcher means; it gives no code. What it does not say for certain is taken for a directory
 * that went while it was being looked at.
 */
export function watchFailure(root: string, message: string): WatchFailure {
  const [, directory, reason = message] = AT_DIRECTORY.exec(message) ?? [];
  const where = directory === undefined ? '' : `${shortened(relative(root, directory) || '.')}: `;
  const cause = `${where}${reason}`;
  if (reason.includes(PATH_TOO_LONG)) {
    return { cause: `${cause}; the path is longer than the system allows, so move or rename it`, isLasting: true };
  }
  if (reason.includes(TOO_MANY_WATCHED)) {
    return {
      cause: `${cause}; there are more directories than fs.inotify.max_user_watches, so raise that`,
      isLasting: true,
    };
  }
  if (reason.includes(TOO_MANY_WATCHERS)) {
    return { cause: `${cause}; raise fs.inotify.max_user_instances, or the limit of open files`, isLasting: true };
  }
  return { cause, isLasting: false };
}

function shortened(path: string): string {
  return path.length <= clientLimits.unwatchedPathShown ? path : `${path.slice(0, clientLimits.unwatchedPathShown)}…`;
}
