import type { Transcript } from "./transcript.ts";

/** The part of a socket, or of what replaces one in a test, by which the side under test sends. */
export interface SendingChannel {
  write(bytes: Uint8Array, written?: () => void): boolean;
  cork(): void;
  uncork(): void;
  end(): unknown;
}

/** Writes down what is sent by `channel` from here on. What is sent while it is corked leaves in one write. */
export function recordWrites(channel: SendingChannel, transcript: Pick<Transcript, "write" | "event">): void {
  const write = channel.write.bind(channel);
  const cork = channel.cork.bind(channel);
  const uncork = channel.uncork.bind(channel);
  const end = channel.end.bind(channel);
  let corks = 0;
  let buffers: Uint8Array[] = [];
  channel.write = (bytes, written) => {
    // A copy: the engine uses the memory again.
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
