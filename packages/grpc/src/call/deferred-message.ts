/**
 * A received message that is made when somebody takes it. What a window holds of compressed messages can be a thousand times
 * as large inflated, so they wait as they came.
 */
export class DeferredMessage<T> {
  /** Makes the message, at once or later. Throws or rejects when it cannot be made. Call once. */
  readonly make: () => T | Promise<T>;

  constructor(make: () => T | Promise<T>) {
    this.make = make;
  }
}
