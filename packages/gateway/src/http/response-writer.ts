import type { Socket } from "node:net";
import type { BodyFraming, ResponseHead } from "./response-head.ts";
import { writeMemory } from "./write-memory.ts";

/** Output up to this size waits until the end of the turn of the event loop, to be sent in one piece. */
const maxWaitingBytes = 16 * 1024;
/**
 * The maximum size of a write to a socket. The next write follows when it is done, so that a slow client can be distinguished from one that does not
 * read: a socket does not report the progress of one large write.
 */
const maxPieceBytes = 64 * 1024;
const lastChunk = "0\r\n\r\n";

/** The members of a socket that are used. */
export type ResponseSocket = Pick<
  Socket,
  "write" | "writableLength" | "writableNeedDrain" | "destroyed" | "writableEnded"
>;

/**
 * Writes one response to a socket in as few pieces as possible: a response that is complete at once is one piece. All data of a stream in one turn of the
 * event loop is sent together at its end, as one chunk.
 */
export class ResponseWriter {
  readonly #socket: ResponseSocket;
  /** The head, until it is sent. */
  #head: string | undefined = undefined;
  #framing: BodyFraming = "none";
  /** The number of body bytes that are missing according to the head. */
  #missingBytes = 0;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #isFlushPlanned = false;
  /** Pieces that wait for room in the socket. */
  #queue: Uint8Array[] = [];
  #hasBegun = false;
  #isEnded = false;

  constructor(socket: ResponseSocket) {
    this.#socket = socket;
  }

  /** Whether the response has started, even if nothing has been sent yet. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** Whether the end of the connection marks the end of the response. */
  get endsWithConnection(): boolean {
    return this.#framing === "close";
  }

  /** Whether the whole response has been written to the socket. */
  get isDone(): boolean {
    return this.#isEnded && this.#queue.length === 0;
  }

  begin({ text, framing, contentLength }: ResponseHead): void {
    this.#hasBegun = true;
    this.#head = text;
    this.#framing = framing;
    this.#missingBytes = contentLength;
    // The head of a stream is sent without waiting for the first message.
    if (framing !== "length") this.#planFlush();
  }

  /** Sends data. Returns false if the caller must wait until the socket has room. */
  data(bytes: Uint8Array): boolean {
    this.#add(bytes);
    if (this.#waitingBytes >= maxWaitingBytes) this.#flush("");
    else this.#planFlush();
    return this.hasRoom;
  }

  get hasRoom(): boolean {
    return this.#queue.length === 0 && !this.#socket.writableNeedDrain;
  }

  /** Ends the response. Returns false if the body does not match its content-length, and the connection must end. */
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

  /** Sends the output that waits for the end of the turn. */
  flush(): void {
    this.#isFlushPlanned = false;
    if (this.#hasBegun) this.#flush("");
  }

  /** Writes the pieces that wait for room. */
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

  /** Flushes in the next tick, which starts when all current work is done. */
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

/** Writes everything in one piece. */
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
  // The operating system has accepted everything, so the memory can be reused.
  if (socket.writableLength === 0) writeMemory.giveBack(whole);
}
