import type { MessageInitShape } from "@bufbuild/protobuf";
import { type CallOptions, Code, ConnectError, type Transport } from "@connectrpc/connect";
import { createClient } from "../../channel/create-client.ts";
import {
  type ServerReflectionRequestSchema,
  type ServerReflectionResponse,
  ServerReflection as V1,
} from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as V1Alpha } from "../../gen/grpc/reflection/v1alpha/reflection_pb.ts";

export type ReflectionQuestion = NonNullable<MessageInitShape<typeof ServerReflectionRequestSchema>["messageRequest"]>;
/** v1 and v1alpha differ in the names of their packages only. */
export type ReflectionAnswer = ServerReflectionResponse["messageResponse"];

/** One stream to a server's reflection service, with one request after the other. */
export interface ReflectionStream {
  /** @throws ConnectError when the stream fails or ends without an answer */
  ask(question: ReflectionQuestion): Promise<ReflectionAnswer>;
  /** Ends the questions, and waits for the server to end the stream; never rejects. */
  close(): Promise<void>;
}

export function openReflectionStream(
  transport: Transport,
  version: "v1" | "v1alpha",
  options: CallOptions,
): ReflectionStream {
  const questions = new Questions();
  const client = createClient((version === "v1" ? V1 : V1Alpha) as typeof V1, transport);
  const answers = client.serverReflectionInfo(questions, options)[Symbol.asyncIterator]();
  return {
    async ask(question) {
      questions.push({ messageRequest: question });
      const { done, value } = await answers.next();
      if (done === true) throw new ConnectError("the reflection stream ended without an answer", Code.DataLoss);
      return value.messageResponse;
    },
    async close() {
      questions.end();
      try {
        // To the stream's status: cancelled, it would count as a failed call in the server's logs and metrics.
        const { done } = await answers.next();
        if (done !== true) await answers.return?.();
      } catch {
        // Every request has its response, or has failed by itself.
      }
    },
  };
}

type Request = MessageInitShape<typeof ServerReflectionRequestSchema>;

/** The requests, as the transport reads them. At most one waits, because each gets its response before the next. */
class Questions implements AsyncIterableIterator<Request> {
  #waiting: Request | undefined = undefined;
  #isOver = false;
  #wake: () => void = () => {};

  push(request: Request): void {
    this.#waiting = request;
    this.#wake();
  }

  end(): void {
    this.#isOver = true;
    this.#wake();
  }

  async next(): Promise<IteratorResult<Request>> {
    while (this.#waiting === undefined && !this.#isOver) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const value = this.#waiting;
    this.#waiting = undefined;
    return value === undefined ? { done: true, value: undefined } : { done: false, value };
  }

  async return(): Promise<IteratorResult<Request>> {
    this.end();
    return { done: true, value: undefined };
  }

  /** Connect's own transports end a stream that fails so. */
  throw(reason: unknown): Promise<IteratorResult<Request>> {
    this.end();
    return Promise.reject(reason);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
