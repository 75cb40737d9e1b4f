import type { DescMessage, DescMethodStreaming, Message, MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, type StreamResponse } from "@connectrpc/connect";
import type { DeferredMessage } from "../call/deferred-message.ts";
import { toMessage } from "../call/message-init.ts";
import { MessageQueue } from "../call/message-queue.ts";
import { Attempt } from "./attempt.ts";
import type { ChannelCalls } from "./channel-calls.ts";
import { LazyStreamResponse } from "./responses.ts";

type Requests = AsyncIterable<MessageInitShape<DescMessage>>;

/** Any number of messages one way or both: a promise of the response's head, and with it of the messages. */
export class StreamingCall extends Attempt {
  private readonly input: AsyncIterator<MessageInitShape<DescMessage>>;
  private readonly resolve: (response: StreamResponse) => void;
  private readonly reject: (error: ConnectError) => void;
  private readonly responses: MessageQueue<Message>;
  private response: LazyStreamResponse | undefined = undefined;
  private inputOver = false;
  private wakeSender: (() => void) | undefined = undefined;

  constructor(
    calls: ChannelCalls,
    method: DescMethodStreaming,
    signal: AbortSignal | undefined,
    fields: readonly string[],
    requests: Requests,
    resolve: (response: StreamResponse) => void,
    reject: (error: ConnectError) => void,
  ) {
    super(calls, method, signal, fields);
    this.input = requests[Symbol.asyncIterator]();
    this.resolve = resolve;
    this.reject = reject;
    this.responses = new MessageQueue<Message>(
      (octets) => this.call.consume(octets),
      () => this.call.cancel(new ConnectError("the caller took no more responses", Code.Canceled)),
    );
    this.call.responses = this.responses;
  }

  onHead(): void {
    this.response = new LazyStreamResponse(this.method as DescMethodStreaming, this.call, this.responses);
    this.resolve(this.response);
  }

  onMessage(message: Message | DeferredMessage<Message>, octets: number): void {
    this.responses.push(message, octets);
  }

  onWritable(): void {
    this.wakeSender?.();
    this.wakeSender = undefined;
  }

  /** What was taken from the application's iterable is gone. */
  protected readonly canRepeat = false;

  protected sendRequest(): void {
    this.pump().catch((error) => this.call.cancel(ConnectError.from(error)));
  }

  protected settle(error: ConnectError | undefined): void {
    this.response?.complete();
    if (error === undefined) {
      this.responses.end();
      if (this.response === undefined) this.onHead();
    } else if (this.response !== undefined) {
      this.responses.fail(error);
    } else {
      this.reject(error);
    }
    this.onWritable();
    this.stopInput();
  }

  /** Sends requests as they come, no faster than they leave. */
  private async pump(): Promise<void> {
    const { call, method } = this;
    while (!call.isOver) {
      const next = await this.input.next();
      if (next.done === true) {
        this.inputOver = true;
        call.endRequests();
        return;
      }
      if (call.isOver) return;
      const sent = call.send(toMessage(method.input, next.value), false);
      const hasRoom = typeof sent === "boolean" ? sent : await sent;
      if (!hasRoom && !call.isOver) {
        await new Promise<void>((resolve) => {
          this.wakeSender = resolve;
        });
      }
    }
  }

  /** The call is over, so the application's generator is told to clean up; what it says to that changes nothing. */
  private stopInput(): void {
    if (this.inputOver) return;
    this.inputOver = true;
    // In a promise, because an iterator of the application's own making may throw at once or return none.
    new Promise((resolve) => resolve(this.input.return?.())).catch(() => {});
  }
}
