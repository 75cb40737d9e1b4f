import type { Socket } from "node:net";
import type { BodyFraming, ResponseHead } from "./response-head.ts";
import { writeMemory } from "./write-memory.ts";

/** What waits for more that is sent in the same turn of the event loop, and leaves with it in one piece. */
const maxWaitingBytes = 16 * 1024;
/**
 * The largest piece that a socket is given. The next one follows when it has left, so that a client which reads slowly can be told from one which
 * does not read: of one large piece, a socket does not say how much has left.
 */
const maxPieceBytes = 64 * 1024;
const lastChunk = "0\r\n\r\n";

/** What a response is written to. */
export type ResponseSocket = Pick<
  Socket,
  "write" | "writableLength" | "writableNeedDrain" | "destroyed" | "writableEnded"
>;

/**
 * Writes one response to a socket, in as few pieces as it can: a response that is complete at once is one. What is sent of a stream in one turn of the
 * event loop leaves together at its end, as one chunk.
 */
export class ResponseWriter {
  readonly #socket: ResponseSocket;
  /** The head while it has not been sent. */
  #head: string | undefined = undefined;
  #framing: BodyFraming = "none";
  /** Bytes of the body that the head announces and that have not come. */
  #missingBytes = 0;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #isFlushPlanned = false;
  /** Pieces that the socket has no room for yet. */
  #queue: Uint8Array[] = [];
  #hasBegun = false;
  #isEnded = false;

  constructor(socket: ResponseSocket) {
    this.#socket = socket;
  }

  /** There is a response, whether or not any of it has left. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** The end of the connection is the end of the response. */
  get endsWithConnection(): boolean {
    return this.#framing === "close";
  }

  /** The socket has been given all of the response. */
  get isDone(): boolean {
    return this.#isEnded && this.#queue.length === 0;
  }

  begin({ text, framing, contentLength }: ResponseHead): void {
    this.#hasBegun = true;
    this.#head = text;
    this.#framing = framing;
    this.#missingBytes = contentLength;
    // The head of a stream does not wait for its first message.
    if (framing !== "length") this.#planFlush();
  }

  /** False: enough waits to be sent. */
  data(bytes: Uint8Array): boolean {
    this.#add(bytes);
    if (this.#waitingBytes >= maxWaitingBytes) this.#flush("");
    else this.#planFlush();
    return this.hasRoom;
  }

  get hasRoom(): boolean {
    return this.#queue.length === 0 && !this.#socket.writableNeedDrain;
  }

  /** False: the body is not as long as its head says, and the connection has to end. */
  end(last: Uint8Array | undefined): boolean {
    this.#isEnded = true;
    if (last !== undefined) this.#add(last);
    if (this.#framing === "undecided" && this.#head !== undefined) {
      this.#head += `content-length: ${this.#waitingBytes}\r\n`;
      this.#framing = "length";
      this.#missingBytes = 0;
    }
    if (this.#framing === "length" && this.#missingBytes !== 0) return false;
    this.#flush(this.#framing === "chunked" ? lastChunk : "");
    return true;
  }

  /** Sends what waits for the end of the turn. */
  flush(): void {
    this.#isFlushPlanned = false;
    if (this.#hasBegun) this.#flush("");
  }

  /** Gives the socket what waits for room. */
  pump(): void {
    const socket = this.#socket;
    if (socket.destroyed || socket.writableEnded) this.#queue = [];
    while (this.#queue.length > 0 && !socket.writableNeedDrain) socket.write(this.#queue.shift() as Uint8Array);
  }

  #add(bytes: Uint8Array): void {
    if (bytes.length === 0 || this.#framing === "none") return;
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#framing === "length") this.#missingBytes -= bytes.length;
  }

  /** In the next tick, which begins when all that could run has run. */
  #planFlush(): void {
    if (this.#isFlushPlanned) return;
    this.#isFlushPlanned = true;
    process.nextTick(flushPlanned, this);
  }

  #flush(ending: string): void {
    let before = this.#takeHead();
    let after = ending;
    const pieces = this.#waiting;
    const bytes = this.#waitingBytes;
    if (this.#framing === "chunked" && bytes > 0) {
      before += `${bytes.toString(16)}\r\n`;
      after = `\r\n${ending}`;
    }
    if (before.length + bytes + after.length === 0) return;
    this.#waiting = [];
    this.#waitingBytes = 0;
    const socket = this.#socket;
    if (socket.destroyed || socket.writableEnded) return;
    if (bytes < maxPieceBytes && this.hasRoom) writeAll(socket, before, pieces, after);
    else this.#enqueue(before, pieces, after);
  }

  #takeHead(): string {
    if (this.#head === undefined) return "";
    if (this.#framing === "undecided") {
      this.#head += "transfer-encoding: chunked\r\n";
      this.#framing = "chunked";
    }
    const head = `${this.#head}\r\n`;
    this.#head = undefined;
    return head;
  }

  #enqueue(before: string, pieces: readonly Uint8Array[], after: string): void {
    if (before !== "") this.#queue.push(Buffer.from(before, "latin1"));
    for (const piece of pieces) {
      for (let at = 0; at < piece.length; at += maxPieceBytes) this.#queue.push(piece.subarray(at, at + maxPieceBytes));
    }
    if (after !== "") this.#queue.push(Buffer.from(after, "latin1"));
    this.pump();
  }
}

function flushPlanned(writer: ResponseWriter): void {
  writer.flush();
}

/** In one piece. */
function writeAll(socket: ResponseSocket, before: string, pieces: readonly Uint8Array[], after: string): void {
  let bytes = before.length + after.length;
  for (const piece of pieces) bytes += piece.length;
  const whole = writeMemory.reserve(bytes);
  if (before !== "") whole.write(before, 0, "latin1");
  let at = before.length;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  if (after !== "") whole.write(after, at, "latin1");
  socket.write(whole);
  // Then the system has all of it.
  if (socket.writableLength === 0) writeMemory.giveBack(whole);
}
