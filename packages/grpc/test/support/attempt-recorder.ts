import { Code, type Interceptor } from "@connectrpc/connect";
import { createHookedInterceptor, type OnAttempt, type StartedAttempt } from "@tercel/grpc/hooks";

export interface RecordedAttempt {
  /** Method, earlier attempts, and whether it is a transparent one. */
  readonly begun: string;
  /** What was told of it, in order. */
  readonly told: string[];
}

/** Notes what a channel tells of each attempt, and gives it metadata of its own. */
export function createAttemptRecorder(metadata: (attempt: StartedAttempt) => Record<string, string> = () => ({})): {
  readonly attempts: RecordedAttempt[];
  readonly interceptor: Interceptor;
} {
  const attempts: RecordedAttempt[] = [];
  const onAttempt: OnAttempt = (attempt) => {
    const told: string[] = [];
    const { method, earlierAttempts, isTransparent } = attempt;
    attempts.push({ begun: `${method.name} ${earlierAttempts}${isTransparent ? " transparent" : ""}`, told });
    return {
      metadata: new Headers(metadata(attempt)),
      onPick: (_address, hasWaited) => told.push(hasWaited ? "waited" : "picked"),
      onSent: (bytes, isCompressed) => told.push(`sent ${bytes}${isCompressed ? " compressed" : ""}`),
      onReceived: (bytes, isCompressed) => told.push(`received ${bytes}${isCompressed ? " compressed" : ""}`),
      onEnd: (error) => told.push(error === undefined ? "OK" : (Code[error.code] as string)),
    };
  };
  return { attempts, interceptor: createHookedInterceptor({ onAttempt }) };
}
