import { LinePace, processPace } from "../../logging/line-pace.ts";
import type { Log } from "../../logging/log.ts";
import { printable } from "../../logging/printable.ts";
import type { Clock } from "../../time/clock.ts";

/** Enough to find a client that is set up wrongly; a port that others can reach is probed all day. */
const maxLinesPerPeriod = 10;
const periodMs = 60_000;

/** Makes log lines of clients that were let go before they spoke HTTP/2, at most ten a minute. */
export function createHandshakeLog(log: Log, clock: Clock): (reason: string, peer: string | undefined) => void {
  const pace = new LinePace(maxLinesPerPeriod, periodMs);
  return (reason, peer) => {
    const nowMs = clock.nowMs();
    if (!pace.allows(nowMs)) return;
    if (!processPace.allows(nowMs)) {
      pace.suppressed++;
      return;
    }
    const suppressed = pace.takeSuppressed();
    log.warn("a client could not connect", {
      reason: printable(reason),
      peer: peer === undefined ? undefined : printable(peer),
      ...(suppressed === 0 ? {} : { suppressed }),
    });
  };
}
