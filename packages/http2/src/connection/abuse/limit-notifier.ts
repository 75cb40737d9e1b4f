import type { LimitAction, LimitName } from "../../errors/limit-name.ts";
import type { ConnectionEvents } from "../connection-options.ts";
import type { Http2Connection } from "../http2-connection.ts";

/** Tells the layer above that the peer has exceeded a limit. */
export class LimitNotifier {
  private readonly events: ConnectionEvents;
  private readonly connection: Http2Connection;

  constructor(events: ConnectionEvents, connection: Http2Connection) {
    this.events = events;
    this.connection = connection;
  }

  notify(limit: LimitName, action: LimitAction, streamId: number, detail: string): void {
    try {
      this.events.onLimit?.({ limit, action, streamId, detail }, this.connection);
    } catch {
      // An observer that throws must not affect the connection.
    }
  }
}
