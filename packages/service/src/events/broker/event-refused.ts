/**
 * Thrown when a broker can never store an event, because it is too large or its name is invalid. `append` rejects with it when it was given only that
 * event, and the outbox parks the event at once. Other failures are retried.
 */
export class EventRefused extends Error {
  override readonly name = "EventRefused";
}
