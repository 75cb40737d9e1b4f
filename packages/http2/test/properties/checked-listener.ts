import type {
  Http2Connection,
  Http2Error,
  Http2Stream,
  RequestHead,
  ResponseHead,
  StreamListener,
  Trailers,
} from "../../src/index.ts";

/** The connection that a listener belongs to. */
export interface ListenerHost {
  readonly role: "server" | "client";
  readonly connection: Http2Connection;
  /** Writes an event down. */
  tell(event: string): void;
  /** Writes down that a promise was broken. */
  object(objection: string): void;
}

/** What an application may do with a stream; which one a stream gets depends on its identifier and the script's bytes. */
export const conducts = [
  "answer at the end",
  "echo",
  "answer at once",
  "answer at once and reset",
  "reset at once",
  "reset in data",
  "reset in end",
  "throw at once",
  "throw in data",
  "throw in end",
  "never consume",
  "answer at length",
  "hold",
  "drain",
  "close in data",
  "close in end",
] as const;

export type Conduct = (typeof conducts)[number];

const answer = [":status", "200", "content-type", "text/plain"];
const trailers = ["outcome", "done"];

/** Acts as its conduct says, writes down what it is told, and objects to being told anything once the stream is over. */
export class CheckedListener implements StreamListener {
  readonly stream: Http2Stream;
  private readonly host: ListenerHost;
  private readonly conduct: Conduct;
  private isHeld = false;
  private peerEnded = false;
  private wasReset = false;
  private didReset = false;
  private didThrow = false;

  constructor(host: ListenerHost, stream: Http2Stream, conduct: Conduct) {
    this.host = host;
    this.stream = stream;
    this.conduct = conduct;
  }

  /** Something ended this stream, so that no one waits for it for ever. */
  get isOver(): boolean {
    return this.peerEnded || this.wasReset || this.didReset || this.didThrow;
  }

  /** Server: the stream has just been opened. Client: it was sent. */
  begin(): void {
    const { stream, conduct } = this;
    if (conduct === "hold") {
      stream.hold();
      this.isHeld = true;
    } else if (conduct === "reset at once") this.reset();
    else if (conduct === "drain") this.host.connection.drain("scripted");
    else if (conduct === "throw at once" && this.host.role === "server") this.throw();
    else if (this.host.role === "server") {
      if (conduct === "echo") stream.sendHeaders(answer);
      if (conduct.startsWith("answer at once")) stream.sendHeaders(answer, true);
      if (conduct === "answer at once and reset") {
        stream.resetWhenSent(0);
        this.didReset = stream.isClosed;
      }
    }
  }

  onHead(head: ResponseHead): void {
    this.told(`head ${head.status} ${JSON.stringify(head.fields)}`, true);
    if (this.conduct === "throw at once") this.throw();
  }

  onData(bytes: Uint8Array, start: number, end: number): void {
    const data = Buffer.from(bytes.subarray(start, end));
    this.told(`data ${data.toString("latin1")}`, true);
    if (this.conduct !== "never consume") this.stream.consume(end - start);
    if (this.conduct === "reset in data") this.reset();
    else if (this.conduct === "throw in data") this.throw();
    else if (this.conduct === "close in data") this.host.connection.close(0, "scripted");
    else if (this.conduct === "echo" && this.host.role === "server" && this.stream.isWritable)
      this.stream.sendData(data);
  }

  onTrailers(received: Trailers): void {
    this.told(`trailers ${JSON.stringify(received.fields)}`, true);
  }

  onEnd(): void {
    this.told("end", true);
    this.peerEnded = true;
    this.letGo();
    if (this.conduct === "reset in end") this.reset();
    else if (this.conduct === "throw in end") this.throw();
    else if (this.conduct === "close in end") this.host.connection.close(0, "scripted");
    else if (this.host.role === "server") this.answer();
  }

  onReset(error: Http2Error): void {
    this.told(`reset ${error.blame} ${error.message}`, false);
    this.wasReset = true;
    this.letGo();
  }

  onWritable(): void {
    this.told("writable", false);
  }

  private answer(): void {
    const { stream } = this;
    if (!stream.isWritable) return;
    if (this.conduct !== "echo") stream.sendHeaders(answer);
    if (this.conduct === "answer at length") stream.sendData(Buffer.alloc(100_000, "tercel "));
    else if (this.conduct !== "echo") stream.sendData(Buffer.from("hello"));
    stream.sendTrailers(trailers);
  }

  private reset(): void {
    this.didReset = true;
    this.stream.reset(8);
    this.letGo();
  }

  private throw(): never {
    this.didThrow = true;
    throw new Error("scripted");
  }

  private letGo(): void {
    if (!this.isHeld) return;
    this.isHeld = false;
    this.stream.release();
  }

  private told(what: string, fromPeer: boolean): void {
    const { host, stream } = this;
    host.tell(`${stream.id} ${what}`);
    if (this.wasReset) host.object(`stream ${stream.id} was told "${what}" after its reset`);
    if (this.didReset) host.object(`stream ${stream.id} was told "${what}" after its owner had reset it`);
    if (this.peerEnded && fromPeer) host.object(`stream ${stream.id} was told "${what}" after its end`);
  }
}

/** The part of a request that a log shows. */
export function describeRequest(head: RequestHead): string {
  return `request ${JSON.stringify(head)}`;
}
