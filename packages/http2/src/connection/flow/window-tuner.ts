import type { OwnSettings } from "../settings/own-settings.ts";
import type { StreamTable } from "../streams/stream-table.ts";
import type { Clock } from "../time/clock.ts";
import type { Pings } from "../time/pings.ts";
import type { ConnectionCredit } from "./connection-credit.ts";
import type { WindowGrowth } from "./window-growth.ts";

export interface WindowTunerParts {
  readonly clock: Clock;
  readonly streams: StreamTable;
  readonly credit: ConnectionCredit;
  readonly ownSettings: OwnSettings;
  readonly pings: Pings;
}

/** Measures round trips while data comes, and gives the peer the windows that follow from them. */
export class WindowTuner {
  private readonly parts: WindowTunerParts;
  private readonly growth: WindowGrowth;

  constructor(parts: WindowTunerParts, growth: WindowGrowth) {
    this.parts = parts;
    this.growth = growth;
  }

  dataReceived(bytes: number): void {
    const { growth } = this;
    const step = growth.received(bytes, this.parts.clock);
    if (step === undefined) return;
    const { clock, credit, pings } = this.parts;
    if (step === "filled") {
      this.growWindows(growth.filled(credit.heldBytes));
      return;
    }
    pings.send((error) => {
      if (error === undefined) this.growWindows(growth.answered(clock.nowMs(), credit.heldBytes));
    });
  }

  /** The connection is gone. */
  end(): void {
    this.growth.end();
  }

  /** The windows of streams grow with the connection's: any one of them may be the one that moves the data. */
  private growWindows(bytes: number): void {
    if (bytes === 0) return;
    const { credit, ownSettings, streams } = this.parts;
    credit.grow(bytes);
    const streamBytes = ownSettings.growStreamWindow(bytes);
    if (streamBytes > 0) for (const stream of streams.all()) stream.growReceiveWindow(streamBytes);
  }
}
