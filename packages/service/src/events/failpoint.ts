/** Every durable step, in the order of an event's path. */
export type DurableStep =
  | "append to the stream"
  | "delete from the outbox"
  | "append to the log"
  | "commit the handler"
  | "acknowledge"
  | "settle in the log";

/** Called right before and after each durable step, so that tests can simulate a crash by throwing. */
export type Failpoint = (step: DurableStep, at: "before" | "after") => void;

export const noFailpoint: Failpoint = () => {};

/** Runs a durable step between its two points. */
export async function durably<T>(failpoint: Failpoint, step: DurableStep, act: () => Promise<T>): Promise<T> {
  failpoint(step, "before");
  const result = await act();
  failpoint(step, "after");
  return result;
}
