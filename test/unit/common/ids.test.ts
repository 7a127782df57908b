import { describe, expect, it } from 'vitest';
import {
  idBytes,
  idOfPublicKey,
  namespaceIdOf,
  parseAgentId,
  parseCursor,
  parseNamespaceName,
} from '../../../common/ids.js';

const refusal = (field: string) => expect.objectContaining({ code: 'INVALID_ARGUMENT', details: { field } }) as Error;

describe('ids', () => {
  const id = '00112233445566778899aabbccddeeff';

  it('are 32 lower-case hexadecimal digits, 16 bytes in keys', () => {
    expect(parseAgentId('agent_id', id)).toBe(id);
    expect(idBytes(parseAgentId('agent_id', id))).toEqual(Buffer.from(id, 'hex'));
    expect(namespaceIdOf(Buffer.from(id, 'hex'))).toBe(id);
  });

  it.each(['', id.slice(1), `${id}0`, id.toUpperCase(), `${id.slice(0, 31)}g`, `${id}\n`])('are not %j', (text) => {
    expect(() => parseAgentId('agent_id', text)).toThrow(refusal('agent_id'));
  });

  it('of a key are the first half of its hash', () => {
    // SHA-256 of 32 zero bytes: 66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925
    expect(idOfPublicKey(Buffer.alloc(32))).toBe('66687aadf862bd776c8fc18b8e9f8e20');
  });
});

describe('names', () => {
  it.each(['a', '0', 'team-a', 'r.2026_q1', 'x'.repeat(64)])('may be %j', (name) => {
    expect(parseNamespaceName('name', name)).toBe(name);
  });

  it.each(['', '-a', '.a', 'A', 'ä', 'a b', 'a/b', 'x'.repeat(65), 'a\n'])('may not be %j', (name) => {
    expect(() => parseNamespaceName('name', name)).toThrow(refusal('name'));
  });
});

describe('cursors', () => {
  it('are whole numbers that a number holds exactly', () => {
    expect(parseCursor('cursor', 0n)).toBe(0);
    expect(parseCursor('cursor', 2n ** 53n - 1n)).toBe(Number.MAX_SAFE_INTEGER);
    expect(() => parseCursor('cursor', 2n ** 53n)).toThrow(refusal('cursor'));
    expect(() => parseCursor('cursor', -1n)).toThrow(refusal('cursor'));
  });
});
