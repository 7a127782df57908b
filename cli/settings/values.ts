import { resolve } from 'node:path';
import * as v from 'valibot';
import { parseHostPort } from '../../common/address.js';
import type { ItemPath } from '../../common/feed/item.js';
import { parseEnrollmentToken, type EnrollmentToken } from '../../common/identity/enrollment-token.js';
import { parseItemPath, pathProblem } from '../../common/feed/paths.js';
import { parseNamespaceName, type NamespaceName } from '../../common/ids.js';
import { wireLimits } from '../../common/limits.js';
import { parseBytes, parseDuration, parseRate } from '../output/units.js';
import type { Kind } from './setting.js';

const DAY_MS = 24 * 60 * 60 * 1000;

/** A schema for texts that `parse` takes; it says what is wrong by throwing. */
function parsedBy<T>(parse: (field: string, text: string) => T): v.GenericSchema<unknown, T> {
  return v.pipe(
    v.string(),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      try {
        return parse('value', dataset.value);
      } catch {
        addIssue();
        return NEVER;
      }
    }),
  );
}

/** A schema for texts of which `read` knows the value; it has none of others. */
function readBy<T>(read: (text: string) => T | undefined): v.GenericSchema<unknown, T> {
  return v.pipe(
    v.string(),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const value = read(dataset.value);
      if (value !== undefined) return value;
      addIssue();
      return NEVER;
    }),
  );
}

const addressSchema = parsedBy((field, text) => {
  parseHostPort(field, text);
  return text;
});

/** HOST:PORT, or [IPV6]:PORT. */
export const address: Kind<string> = {
  schema: addressSchema,
  allowed: 'HOST:PORT, such as 127.0.0.1:7420 or [::1]:7420',
  placeholder: 'HOST:PORT',
};

/** HOST:PORT, or `off`, which is undefined. */
export const addressOrOff: Kind<string | undefined> = {
  schema: v.union([
    v.pipe(
      v.literal('off'),
      v.transform(() => undefined),
    ),
    addressSchema,
  ]),
  allowed: "HOST:PORT, such as 127.0.0.1:9420, or 'off'",
  placeholder: 'HOST:PORT|off',
};

/** A directory; relative ones are taken from the current directory. */
export const directory: Kind<string> = {
  schema: v.pipe(
    v.string(),
    v.minLength(1),
    v.transform((path) => resolve(path)),
  ),
  allowed: 'a directory',
  placeholder: 'DIR',
};

/** A file; relative ones are taken from the current directory. */
export const file: Kind<string> = { ...directory, allowed: 'a file', placeholder: 'FILE' };

/** A file, or `-` for standard input. */
export const fileOrInput: Kind<string> = {
  schema: v.union([v.literal('-'), file.schema]),
  allowed: 'a file, or - for standard input',
  placeholder: 'FILE|-',
};

/** A one-time token, and its text. */
export interface GivenToken {
  readonly token: EnrollmentToken;
  readonly tokenText: string;
}

/** A one-time token, as `agent token` and `device token` print them; white space around it means nothing. */
export const oneTimeToken: Kind<GivenToken> = {
  schema: parsedBy((field, text) => ({ token: parseEnrollmentToken(field, text), tokenText: text.trim() })),
  allowed: 'a one-time token, whole, as `drystone agent token` or `drystone device token` prints it',
  placeholder: 'TOKEN',
  isSecret: true,
};

/** The id of an agent or a device; `parse` is theirs, from common/ids.ts. */
export function id<T>(parse: (field: string, value: string) => T): Kind<T> {
  return { schema: parsedBy(parse), allowed: '32 hexadecimal digits, as the lists show them', placeholder: 'ID' };
}

/** Up to `most` of a kind, with commas between them. */
export function listOf<T>({ schema, allowed, placeholder = 'ONE' }: Kind<T>, most: number): Kind<readonly T[]> {
  const several = v.pipe(
    v.array(schema),
    v.minLength(1),
    v.maxLength(most),
    v.check((said) => new Set(said).size === said.length),
  );
  const separated = v.pipe(
    v.string(),
    v.transform((said): unknown[] => said.split(',')),
    several,
  );
  return {
    schema: v.union([separated, several]),
    allowed: `up to ${most}, with commas between them, each ${allowed}`,
    refusal: (raw) => {
      const said = typeof raw === 'string' ? raw.split(',') : [];
      const twice = said.find((one, index) => v.is(schema, one) && said.indexOf(one) < index);
      return twice === undefined ? undefined : `must name each only once, and names ${twice} twice`;
    },
    placeholder: `${placeholder},…`,
  };
}

/** A name of an account, namespace or premises; `parse` is theirs, from common/ids.ts. */
export function name<T>(parse: (field: string, value: string) => T): Kind<T> {
  return {
    schema: parsedBy(parse),
    allowed: `1 to ${wireLimits.nameLength} characters of a-z, 0-9, '.', '_' and '-', beginning with a letter or digit`,
    placeholder: 'NAME',
  };
}

/** One of a few words. */
export function oneOf<const Word extends string>(words: readonly Word[]): Kind<Word> {
  return { schema: v.picklist(words), allowed: `one of ${words.join(', ')}`, placeholder: words.join('|') };
}

/** A number of bytes: a whole number, or one with a unit. */
export const byteCount: Kind<number> = {
  schema: v.union([v.pipe(v.number(), v.safeInteger(), v.minValue(0)), readBy(parseBytes)]),
  allowed: 'a number of bytes, with a binary unit (KiB, MiB, GiB, TiB) or none, such as 500MiB or 1073741824',
  placeholder: 'BYTES',
};

/** Bytes a second: a whole number, or one with a unit. */
export const byteRate: Kind<number> = {
  schema: v.union([
    v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
    readBy((text) => {
      const rate = parseRate(text) ?? 0;
      return rate > 0 ? rate : undefined;
    }),
  ]),
  allowed: 'bytes a second, such as 500kB, 10MB, 1.5MiB or 250000',
  placeholder: 'RATE',
};

/** A whole number within bounds. */
export function wholeNumber(smallest: number, largest: number): Kind<number> {
  return {
    schema: v.pipe(
      v.union([v.number(), readBy((text) => (/^\d+$/.test(text) ? Number(text) : undefined))]),
      v.safeInteger(),
      v.minValue(smallest),
      v.maxValue(largest),
    ),
    allowed: `a whole number from ${smallest} to ${largest}`,
    placeholder: 'N',
  };
}

/** A duration of up to so many days, in milliseconds: a whole number with a unit. */
export function duration(mostDays: number): Kind<number> {
  return {
    schema: readBy((text) => {
      const ms = parseDuration(text) ?? 0;
      return ms > 0 && ms <= mostDays * DAY_MS ? ms : undefined;
    }),
    allowed: `a duration of up to ${mostDays}d, such as 90s, 30m, 12h or 2d`,
    placeholder: 'DURATION',
  };
}

/** What a path in a namespace is called on the command line: NAMESPACE or NAMESPACE/PATH. */
export interface Location {
  readonly namespace: NamespaceName;
  /** Empty for the namespace itself. */
  readonly path: ItemPath | '';
}

/** NAMESPACE or NAMESPACE/PATH; a slash at the end means nothing, and the path may be typed in any normalization form. */
export const location: Kind<Location> = {
  schema: parsedBy((field, text) => {
    const { namespace, path } = partsOf(text);
    return {
      namespace: parseNamespaceName(field, namespace),
      path: path === '' ? '' : parseItemPath(field, path),
    };
  }),
  allowed: 'NAMESPACE or NAMESPACE/PATH, such as reports or reports/2026/march.ods',
  refusal: (raw) => {
    const { namespace, path } = partsOf(String(raw));
    const problem = isNamespaceName(namespace) ? pathProblem(path) : undefined;
    return problem === undefined ? undefined : `its path ${problem}`;
  },
  placeholder: 'NAMESPACE/PATH',
};

function partsOf(location: string): { readonly namespace: string; readonly path: string } {
  const [namespace = '', ...parts] = location.replace(/\/+$/, '').split('/');
  return { namespace, path: parts.join('/').normalize('NFC') };
}

function isNamespaceName(text: string): boolean {
  try {
    parseNamespaceName('NAMESPACE', text);
    return true;
  } catch {
    return false;
  }
}

/** A switch: given or not. */
export const toggle: Kind<boolean> = {
  schema: v.boolean(),
  allowed: 'true or false',
};
