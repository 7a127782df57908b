import { invalidArgument } from '../../common/errors.js';

/** A field that the first message of a stream sets and no later one changes. */
export class StreamField<T extends string> {
  #value: T | undefined;

  /** @param parse the value's type, or INVALID_ARGUMENT that names the field. */
  constructor(
    readonly field: string,
    readonly parse: (field: string, value: string) => T,
  ) {}

  /** The stream's value, given what a message says; INVALID_ARGUMENT where the first says nothing or a later one another. */
  of(value: string): T {
    this.#value ??= this.parse(this.field, value);
    if (value !== '' && value !== this.#value) {
      throw invalidArgument(this.field, 'must not change within a stream; open another stream');
    }
    return this.#value;
  }
}
