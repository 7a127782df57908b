import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { endWithOutput } from '../../../../cli/output/standard-output.js';
import { Terminal } from '../../../../cli/output/terminal.js';
import { DrystoneError } from '../../../../common/errors.js';

class RecordedStream extends PassThrough {
  constructor(
    readonly isTTY: boolean,
    readonly columns: number,
  ) {
    super();
  }

  text(): string {
    return String(this.read() ?? '');
  }
}

function recorded(json: boolean, isTTY: boolean, columns = 30) {
  const output = new RecordedStream(isTTY, columns);
  const errors = new RecordedStream(isTTY, columns);
  return { terminal: new Terminal(output, errors, json), output: () => output.text(), errors: () => errors.text() };
}

const error = new DrystoneError('NOT_FOUND', 'NAMESPACE_UNKNOWN', 'no such namespace', { field: 'name' });

describe('Terminal', () => {
  it('prints for people: results on one stream, all else on the other', () => {
    const { terminal, output, errors } = recorded(false, false);
    terminal.result({ a: 1 }, () => 'one');
    terminal.event({ event: 'silent' });
    terminal.event({ event: 'told' }, 'told');
    terminal.say('said');
    terminal.note('noted');
    terminal.error(error);
    expect(output()).toBe('one\ntold\nsaid\n');
    expect(errors()).toBe('noted\ndrystone: no such namespace\n');
  });

  it('prints JSON for programs, errors included', () => {
    const { terminal, output, errors } = recorded(true, true);
    terminal.result({ a: 1 }, () => 'one');
    terminal.event({ event: 'silent', n: 2 });
    terminal.say('said');
    terminal.note('noted');
    terminal.progress(() => 'half');
    terminal.error(error);
    expect(output()).toBe('{"a":1}\n{"event":"silent","n":2}\n');
    expect(JSON.parse(errors())).toEqual({
      error: {
        code: 'NOT_FOUND',
        reason: 'NAMESPACE_UNKNOWN',
        message: 'no such namespace',
        details: { field: 'name' },
      },
    });
  });

  it('draws progress over itself on a terminal, and takes it away before anything else', () => {
    const { terminal, output, errors } = recorded(false, true);
    terminal.progress((columns) => `wide ${columns}`);
    terminal.progress(() => 'more');
    terminal.event({ event: 'silent' });
    terminal.event({ event: 'told' }, 'told');
    expect(errors()).toBe('\r\u001b[2Kwide 29\r\u001b[2Kmore\r\u001b[2K');
    expect(output()).toBe('told\n');
  });

  it('takes a terminal that does not know its width for one of 80 columns', () => {
    const { terminal, errors } = recorded(false, true, 0);
    terminal.progress((columns) => String(columns));
    expect(errors()).toBe('\r\u001b[2K79');
  });

  it('shows no progress where nobody looks, and does not even make it', () => {
    const { terminal, errors } = recorded(false, false);
    terminal.progress(() => expect.unreachable());
    expect(errors()).toBe('');
  });
});

describe('standard output that cannot be written', () => {
  const ending = (json: boolean, code: string) => {
    const [output, errors] = [new RecordedStream(false, 80), new RecordedStream(false, 80)];
    const codes: number[] = [];
    endWithOutput(output, errors, json, (ended) => codes.push(ended));
    output.emit('error', Object.assign(new Error(`${code}: no, write`), { code }));
    return { codes, told: errors.text() };
  };

  it('ends the command with 1 and one line', () => {
    const told = 'drystone: standard output could not be written: ENOSPC: no, write\n';
    expect(ending(false, 'ENOSPC')).toEqual({ codes: [1], told });
    expect(JSON.parse(ending(true, 'ENOSPC').told)).toMatchObject({ error: { code: 'INTERNAL' } });
  });

  it('ends it in good order, and silently, where nobody reads on', () => {
    expect(ending(false, 'EPIPE')).toEqual({ codes: [0], told: '' });
  });
});
