import type { Transcript } from "./transcript.ts";

/** The write methods of a socket or its replacement in a test. */
export interface SendingChannel {
  write(bytes: Uint8Array, written?: () => void): boolean;
  cork(): void;
  uncork(): void;
  end(): unknown;
}

/** Records the writes of `channel` in a transcript. Writes between cork and uncork are recorded as one. */
export function recordWrites(channel: SendingChannel, transcript: Pick<Transcript, "write" | "event">): void {
  const write = channel.write.bind(channel);
  const cork = channel.cork.bind(channel);
  const uncork = channel.uncork.bind(channel);
  const end = channel.end.bind(channel);
  let corks = 0;
  let buffers: Uint8Array[] = [];
  channel.write = (bytes, written) => {
    // Copied, because the engine reuses the memory.
    buffers.push(Buffer.from(bytes));
    if (corks === 0) flush();
    return write(bytes, written);
  };
  channel.cork = () => {
    corks++;
    cork();
  };
  channel.uncork = () => {
    corks--;
    if (corks === 0) flush();
    uncork();
  };
  channel.end = () => {
    transcript.event(">", "the end of the connection");
    return end();
  };
  function flush(): void {
    if (buffers.length > 0) transcript.write(">", buffers);
    buffers = [];
  }
}
