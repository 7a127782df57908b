import { describe, expect, it } from 'vitest';
import { LateMessage } from '../../../../common/rpc/late-message.js';

describe('a message that is written when it is sent', () => {
  it('writes itself to where it is told, and nowhere else', () => {
    const frame = Buffer.from('.........');
    const message = new LateMessage(4, (target, start) => start + target.write('wall', start));
    expect(message.copy(frame, 5)).toBe(4);
    expect(frame.toString()).toBe('.....wall');
    expect([message.length, message.byteLength]).toEqual([4, 4]);
  });

  it.each([3, 5])('refuses to be sent with %i bytes where it said 4', (bytes) => {
    const message = new LateMessage(4, (_, start) => start + bytes);
    expect(() => message.copy(Buffer.alloc(16), 5)).toThrow('a message of 4 bytes');
  });
});
