import type { LimitAction, LimitEvent, LimitName } from "../limit-name.ts";

/** Tells the layer above that the peer has struck a limit. */
export class LimitTeller {
  private readonly events: { onLimit?(event: LimitEvent): void };

  constructor(events: { onLimit?(event: LimitEvent): void }) {
    this.events = events;
  }

  tell(limit: LimitName, action: LimitAction, streamId: number, detail: string): void {
    try {
      this.events.onLimit?.({ limit, action, streamId, detail });
    } catch {
      // Who only keeps the books has no say in what becomes of the connection.
    }
  }
}
