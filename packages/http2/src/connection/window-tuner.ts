import type { Clock } from "./clock.ts";
import type { Inbound } from "./inbound.ts";
import type { Outbound } from "./outbound.ts";
import type { OwnSettings } from "./own-settings.ts";
import type { Pings } from "./pings.ts";
import type { StreamTable } from "./stream-table.ts";
import type { WindowGrowth } from "./window-growth.ts";

export interface WindowTunerParts {
  readonly growth: WindowGrowth;
  readonly clock: Clock;
  readonly streams: StreamTable;
  readonly inbound: Inbound;
  readonly outbound: Outbound;
  readonly ownSettings: OwnSettings;
  readonly pings: Pings;
}

/** Measures round trips while data comes, and gives the peer the windows that follow from them. */
export class WindowTuner {
  private readonly parts: WindowTunerParts;
  private readonly growth: WindowGrowth;
  private readonly nowMs: () => number;

  constructor(parts: WindowTunerParts) {
    this.parts = parts;
    this.growth = parts.growth;
    this.nowMs = () => parts.clock.nowMs();
  }

  dataReceived(octets: number): void {
    const step = this.growth.received(octets, this.nowMs);
    if (step === undefined) return;
    const { growth, inbound, pings } = this.parts;
    if (step === "filled") {
      this.growWindows(growth.filled(inbound.heldBytes));
      return;
    }
    pings.send((error) => {
      if (error === undefined) this.growWindows(growth.answered(this.nowMs(), inbound.heldBytes));
    });
  }

  /** The windows of streams grow with the connection's: any one of them may be the one that moves the data. */
  private growWindows(bytes: number): void {
    if (bytes === 0) return;
    const { inbound, outbound, ownSettings, streams } = this.parts;
    inbound.window.grow(bytes);
    outbound.windowUpdate(0, bytes);
    const streamBytes = ownSettings.growStreamWindow(bytes);
    if (streamBytes > 0) for (const stream of streams.all()) stream.growReceiveWindow(streamBytes);
  }
}
