import { homedir } from 'node:os';
import { join } from 'node:path';

/** Variables by name, as a process is given them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment of this process: the one place of the command line that reads it. */
export function processEnvironment(): Environment {
  return process.env;
}

/** Where a user's things lie, by the XDG Base Directory Specification. */
export interface UserDirectories {
  /** For settings: `$XDG_CONFIG_HOME/drystone`, else `~/.config/drystone`. */
  readonly config: string;
  /** For keys: `$XDG_DATA_HOME/drystone`, else `~/.local/share/drystone`. */
  readonly data: string;
}

/** The directories that an environment asks for. */
export function userDirectories(environment: Environment): UserDirectories {
  const home = environment.HOME ?? homedir();
  return {
    config: join(environment.XDG_CONFIG_HOME ?? join(home, '.config'), 'drystone'),
    data: join(environment.XDG_DATA_HOME ?? join(home, '.local', 'share'), 'drystone'),
  };
}
