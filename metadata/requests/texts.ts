import { invalidArgument } from '../../common/errors.js';
import { wireLimits } from '../../common/limits.js';

/** A text for people: at most `wireLimits.displayTextBytes`, without control characters; INVALID_ARGUMENT otherwise. */
export function checkDisplayText(field: string, text: string): string {
  const { displayTextBytes } = wireLimits;
  if (Buffer.byteLength(text) > displayTextBytes)
    throw invalidArgument(field, `must have at most ${displayTextBytes} bytes`);
  if (/\p{Cc}/u.test(text)) throw invalidArgument(field, 'must not contain control characters');
  return text;
}
