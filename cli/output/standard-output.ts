import { DrystoneError } from '../../common/errors.js';
import { exitCodeOf, exitCodes, type ExitCode } from './exit-codes.js';
import { Terminal, type OutputStream } from './terminal.js';

/**
 * Ends the program by `exit` where `output` can no longer be written, with one line about it on `errors`; with none where
 * whoever reads it has left early, as in `drystone ls … | head`: then there is nothing left to do, or to say.
 */
export function endWithOutput(
  output: OutputStream,
  errors: OutputStream,
  json: boolean,
  exit: (code: ExitCode) => void,
): void {
  output.on('error', (cause: NodeJS.ErrnoException) => {
    if (cause.code === 'EPIPE') {
      exit(exitCodes.ok);
      return;
    }
    const message = `standard output could not be written: ${cause.message}`;
    const error = new DrystoneError('INTERNAL', 'INTERNAL', message, {}, { cause });
    new Terminal(output, errors, json).error(error);
    exit(exitCodeOf(error));
  });
}
