import { describe, expect, it } from 'vitest';
import { required, parseSetting } from '../../../../cli/settings/setting.js';
import { address, addressOrOff, byteCount, directory, location, wholeNumber } from '../../../../cli/settings/values.js';

describe('an address', () => {
  it.each(['127.0.0.1:0', 'meta.example.org:7420', '[::1]:65535'])('may be %s', (text) => {
    expect(parseSetting(required(address, ''), '--listen', text)).toBe(text);
  });

  it.each(['', ':', 'host', 'host:', ':7420', '::1:7420', 'host:65536', 'http://host:1', 'a b:1', 7420, true])(
    'may not be %j',
    (text) => {
      expect(() => parseSetting(required(address, ''), '--listen', text)).toThrow('--listen: must be HOST:PORT');
    },
  );

  it('may be off where that is allowed', () => {
    expect(parseSetting(required(addressOrOff, ''), '--http', 'off')).toBeUndefined();
    expect(() => parseSetting(required(addressOrOff, ''), '--http', 'no')).toThrow("or 'off'");
  });
});

describe('a location', () => {
  it.each([
    ['docs', { namespace: 'docs', path: '' }],
    ['docs/', { namespace: 'docs', path: '' }],
    ['docs/a/b c.txt', { namespace: 'docs', path: 'a/b c.txt' }],
    ['docs/a/', { namespace: 'docs', path: 'a' }],
    ['docs/e\u0301', { namespace: 'docs', path: '\u00e9' }],
  ])('%s', (text, expected) => {
    expect(parseSetting(required(location, ''), 'LOCATION', text)).toEqual(expected);
  });

  it.each(['', '/', '/docs', 'Docs/a'])('may not be %j', (text) => {
    expect(() => parseSetting(required(location, ''), 'LOCATION', text)).toThrow('LOCATION: must be NAMESPACE');
  });

  it.each([
    ['docs//a', 'must not begin with a slash'],
    ['docs/../a', "must not have the part '..'"],
    ['docs/a\0b', 'must not contain NUL'],
    [`docs/${'d/'.repeat(950)}d`, 'must have at most 1900 bytes'],
    [`docs/${'d'.repeat(256)}`, 'must not have a part of more than 255 bytes'],
  ])('may not be %j, and is told why', (text, problem) => {
    expect(() => parseSetting(required(location, ''), 'LOCATION', text)).toThrow(`LOCATION: its path ${problem}`);
  });
});

describe('numbers', () => {
  it.each([
    ['1GiB', 1024 ** 3],
    ['0', 0],
    [512, 512],
  ])('%j is so many bytes', (said, bytes) => {
    expect(parseSetting(required(byteCount, ''), '--free-floor', said)).toBe(bytes);
  });

  it('in decimal units are refused as such', () => {
    expect(() => parseSetting(required(byteCount, ''), '--free-floor', '2GB')).toThrow(
      /binary unit \(KiB, MiB.*not "2GB"/,
    );
  });

  it.each(['-1', '1.5', '0', '17', 'one', '1e1', 2.5, '', '0x2'])('%j is no number of agents', (said) => {
    expect(() => parseSetting(required(wholeNumber(1, 16), ''), '--replicas', said)).toThrow(
      '--replicas: must be a whole number from 1 to 16',
    );
  });
});

describe('a directory', () => {
  it('is taken from the current one', () => {
    expect(parseSetting(required(directory, ''), '--data', 'x')).toBe(`${process.cwd()}/x`);
    expect(() => parseSetting(required(directory, ''), '--data', '')).toThrow('--data: must be a directory, not ""');
  });
});
