/** Every act that outlives the process, in the order in which an event meets them. */
export type DurableStep =
  | "append to the stream"
  | "delete from the outbox"
  | "append to the log"
  | "commit the handler"
  | "acknowledge"
  | "settle in the log";

/** Called right before and right after each durable step, so that tests can end the process there by throwing. */
export type Failpoint = (step: DurableStep, at: "before" | "after") => void;

export const noFailpoint: Failpoint = () => {};

/** Runs a durable step between its two points. */
export async function durably<T>(failpoint: Failpoint, step: DurableStep, act: () => Promise<T>): Promise<T> {
  failpoint(step, "before");
  const result = await act();
  failpoint(step, "after");
  return result;
}
