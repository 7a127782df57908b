import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { syncDirectory, writeFileDurably } from '../../../../common/files/durable-file.js';
import { rejection } from '../../../support/async-tools.js';
import { temporaryDirectory } from '../../../support/temporary-directory.js';

describe('writeFileDurably', () => {
  it('replaces the whole content, with the mode asked for, and leaves nothing else', async () => {
    const directory = temporaryDirectory();
    const path = join(directory, 'file');
    await writeFileDurably(path, 'a long first content');
    await writeFileDurably(path, Buffer.from('short'), 0o600);
    expect(readFileSync(path, 'utf8')).toBe('short');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(directory)).toEqual(['file']);
  });

  it('overwrites what a crash has left of an earlier attempt', async () => {
    const path = join(temporaryDirectory(), 'file');
    writeFileSync(`${path}.new`, 'a very long half-written content');
    await writeFileDurably(path, 'whole');
    expect(readFileSync(path, 'utf8')).toBe('whole');
  });

  it('leaves nothing of an attempt that fails', async () => {
    const directory = temporaryDirectory();
    mkdirSync(join(directory, 'taken'));
    expect(await rejection(writeFileDurably(join(directory, 'taken'), 'x'))).toMatchObject({ code: 'EISDIR' });
    expect(readdirSync(directory)).toEqual(['taken']);
  });

  it('fails where the directory is not there', async () => {
    const path = join(temporaryDirectory(), 'nowhere', 'file');
    expect(await rejection(writeFileDurably(path, 'x'))).toMatchObject({ code: 'ENOENT' });
    expect(await rejection(syncDirectory(join(path, '..')))).toMatchObject({ code: 'ENOENT' });
  });
});
