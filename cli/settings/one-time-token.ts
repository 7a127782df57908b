import { readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { invalidArgument } from '../../common/errors.js';
import { trustLimits } from '../../common/limits.js';
import { parseSetting, required } from './setting.js';
import { oneTimeToken, type GivenToken } from './values.js';

/** The variable in which `drystone login` looks for its token: an argument is seen by everybody on the machine. */
export const TOKEN_VARIABLE = 'DRYSTONE_TOKEN';

/** Reads the token in a file, or `-` for `input`. INVALID_ARGUMENT, which does not repeat it, where there is none. */
export async function readTokenFile(where: string, path: string, input: Readable): Promise<GivenToken> {
  const text = path === '-' ? await readInput(input) : await readText(where, path);
  const from = path === '-' ? `${where} (standard input)` : path;
  if (text.trim() === '') throw invalidArgument(from, 'must hold a one-time token, and is empty');
  return parseToken(from, text);
}

/** The token that `text` is. INVALID_ARGUMENT, which does not repeat it, where it is none. */
export function parseToken(where: string, text: string): GivenToken {
  return parseSetting(required(oneTimeToken, ''), where, text);
}

async function readText(where: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (thrown) {
    const { code = 'unreadable' } = thrown as NodeJS.ErrnoException;
    throw invalidArgument(where, `must be a file that can be read, and ${path} is not (${code})`);
  }
}

/** All that comes, up to more than a token has: what never ends is not waited for. */
async function readInput(input: Readable): Promise<string> {
  let text = '';
  for await (const part of input) {
    text += String(part);
    if (text.length > trustLimits.enrollmentTokenLength) break;
  }
  return text;
}
