import { describe, expect, it } from 'vitest';
import { formatHostPort, isWildcardHost, parseHostPort } from '../../../common/address.js';

describe('addresses', () => {
  it.each([
    ['127.0.0.1:80', { host: '127.0.0.1', port: 80 }],
    ['localhost:0', { host: 'localhost', port: 0 }],
    ['agent-1.lisbon.example:65535', { host: 'agent-1.lisbon.example', port: 65535 }],
    ['[::1]:7420', { host: '::1', port: 7420 }],
    ['[::ffff:192.0.2.1]:7420', { host: '::ffff:192.0.2.1', port: 7420 }],
  ])('reads %s and writes it again', (text, parsed) => {
    expect(parseHostPort('listen', text)).toEqual(parsed);
    expect(formatHostPort(parsed)).toBe(text);
  });

  it.each([
    '',
    ':',
    ':80',
    'host',
    'host:',
    'host:x',
    'host:-1',
    'host:65536',
    '::1:80',
    '[::1]',
    'a b:80',
    'a/b:80',
    `${'a'.repeat(260)}:80`,
  ])('refuses %j and names the field', (text) => {
    const read = (): unknown => parseHostPort('advertise', text);
    expect(read).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', details: { field: 'advertise' } }));
  });

  it('knows the hosts that name no machine', () => {
    expect(['0.0.0.0', '::', '0:0:0:0:0:0:0:0'].map(isWildcardHost)).toEqual([true, true, true]);
    expect(['127.0.0.1', '::1', 'localhost', '10.0.0.0'].map(isWildcardHost)).toEqual([false, false, false, false]);
  });
});
