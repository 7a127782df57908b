import { safeParse, type GenericSchema } from 'valibot';
import { invalidArgument } from '../../common/errors.js';
import type { UserDirectories } from './config.js';

/**
 * One thing that a user can say. Flags and environment variables arrive as strings, settings files also with numbers and
 * booleans: the schema takes all of them.
 */
export interface Setting<T> {
  readonly schema: GenericSchema<unknown, T>;
  /** Completes "must be …" in the error for a value that the schema refuses. */
  readonly allowed: string;
  /** What is wrong with a value that looks as it should, in place of "must be …"; undefined where that says it. */
  readonly refusal?: (raw: unknown) => string | undefined;
  /** For help texts: what it says, without a full stop. */
  readonly about: string;
  /** How its value is shown in help; without one it is a switch and takes no value. */
  readonly placeholder?: string;
  /** Its value is never shown: not in an error either. */
  readonly isSecret?: true;
  /** What it is where nobody says anything; without one it must be said. */
  readonly fallback?: Fallback<T>;
}

/** A default, and how it reads in help. */
export interface Fallback<T> {
  readonly shown: string;
  readonly value: (directories: UserDirectories) => T;
}

/** Settings by their keys, in kebab-case as they are written everywhere. */
export type SettingTable = Readonly<Record<string, Setting<unknown>>>;

/** What a table of settings resolves to. */
export type SettingValues<Table extends SettingTable> = {
  readonly [Key in keyof Table]: Table[Key] extends Setting<infer T> ? T : never;
};

/** What a setting is, apart from what it is about. */
export type Kind<T> = Pick<Setting<T>, 'schema' | 'allowed' | 'refusal' | 'placeholder' | 'isSecret'>;

/** A setting that must be said. */
export function required<T>(kind: Kind<T>, about: string): Setting<T> {
  return { ...kind, about };
}

/** A setting that is `value` where nobody says anything. */
export function withDefault<T>(kind: Kind<T>, about: string, value: T, shown = String(value)): Setting<T> {
  return { ...kind, about, fallback: { shown, value: () => value } };
}

/** A setting without which things go on as `shown` says. */
export function optional<T>(kind: Kind<T>, about: string, shown = ''): Setting<T | undefined> {
  return { ...kind, about, fallback: { shown, value: () => undefined } };
}

/**
 * `raw` as the setting's value, or INVALID_ARGUMENT that names `where` it was said, what is allowed, and, unless the setting
 * is a secret, what it was.
 */
export function parseSetting<T>(setting: Setting<T>, where: string, raw: unknown): T {
  const parsed = safeParse(setting.schema, raw);
  if (parsed.success) return parsed.output;
  const refusal = setting.refusal?.(raw);
  if (refusal !== undefined) throw invalidArgument(where, refusal);
  const instead = setting.isSecret === true ? '' : `, not ${shownValue(raw)}`;
  throw invalidArgument(where, `must be ${setting.allowed}${instead}`);
}

const SHOWN_LENGTH = 80;

function shownValue(raw: unknown): string {
  const text = JSON.stringify(raw, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
  return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…` : text;
}
