/** What a service tells the supervisor that started it, over the channel between the two processes. */
export type ServiceReport =
  | { readonly event: "listening"; readonly address: string }
  | { readonly event: "start_failed"; readonly problem: string };

/** What the supervisor tells a service. Not a signal: a terminal's Ctrl-C reaches both, and two signals mean force. */
export interface StopRequest {
  readonly event: "stop";
}

/** Tells the supervisor, if there is one; settles once the report is on its way, or cannot be delivered. */
export function reportToParent(report: ServiceReport): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected && process.send !== undefined) {
      // A supervisor that has just died makes an error here; the service then stops because of "disconnect".
      process.send(report, undefined, undefined, () => resolve());
    } else resolve();
  });
}

/** Whether a message from a service is a report; the channel carries whatever a process cares to send. */
export function isServiceReport(message: unknown): message is ServiceReport {
  if (typeof message !== "object" || message === null || !("event" in message)) return false;
  if (message.event === "listening") return "address" in message && typeof message.address === "string";
  return message.event === "start_failed" && "problem" in message && typeof message.problem === "string";
}

/** Calls back when the supervisor asks for a stop, or has gone: no one would ever stop this service then. */
export function onParentStop(stop: (reason: string) => void): void {
  if (process.send === undefined) return;
  if (!process.connected) {
    stop("supervisor_gone");
    return;
  }
  process.on("message", (message: unknown) => {
    if (typeof message === "object" && message !== null && "event" in message && message.event === "stop") {
      stop("supervisor");
    }
  });
  process.on("disconnect", () => stop("supervisor_gone"));
}
