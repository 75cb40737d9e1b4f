import { type Context, ROOT_CONTEXT, type SpanContext, trace } from "@opentelemetry/api";

/**
 * The context of a call whose trace is not recorded. Its span is created when it is first read, which most such calls never do: a context
 * with a span costs as much as a small call.
 */
export class UnsampledContext implements Context {
  private readonly parent: string;
  private readonly state: string | null;
  private readonly read: (parent: string, state: string | null) => SpanContext | undefined;
  private made: Context | undefined = undefined;

  constructor(
    parent: string,
    state: string | null,
    read: (parent: string, state: string | null) => SpanContext | undefined,
  ) {
    this.parent = parent;
    this.state = state;
    this.read = read;
  }

  /** The trace id in `traceparent` (W3C Trace Context §3.2.2.3). */
  get traceId(): string {
    return this.parent.slice(3, 35);
  }

  /** The id of the caller's span in `traceparent` (§3.2.2.4). */
  get spanId(): string {
    return this.parent.slice(36, 52);
  }

  getValue(key: symbol): unknown {
    return this.context().getValue(key);
  }

  setValue(key: symbol, value: unknown): Context {
    return this.context().setValue(key, value);
  }

  deleteValue(key: symbol): Context {
    return this.context().deleteValue(key);
  }

  private context(): Context {
    if (this.made === undefined) {
      const span = this.read(this.parent, this.state);
      this.made = span === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, span);
    }
    return this.made;
  }
}
