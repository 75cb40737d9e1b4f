/**
 * A broker will never take an event, however often it is tried: it is too large, or its name is not one. `append` rejects with it when it was given
 * that event alone, and the outbox parks the event at once. Any other failure may pass.
 */
export class EventRefused extends Error {
  override readonly name = "EventRefused";
}
