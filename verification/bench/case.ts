import type { StreamSize } from "./peers/echo-values.ts";
import type { PolicyName } from "./pick/picker.ts";

/** One thing that is measured of every subject. */
export interface BenchCase {
  /** `<side>/<what>`; a word of the command line chooses by it. */
  readonly name: string;
  /** Unit of the value. */
  readonly unit: string;
  /** What the CPU time is counted for: one of this. */
  readonly per?: string;
  readonly better: "higher" | "lower";
  /** Over TLS, of those subjects that can. */
  readonly isTls?: true;
  /** Names of subjects that are not measured in this case; the catalogue says why. */
  readonly without?: readonly string[];
  /** No more rounds than this, where one takes minutes. */
  readonly maxRounds?: number;
  readonly work: Work;
}

export type Work =
  | H2loadWork
  | ClientStreamWork
  | ClientWork
  | PairWork
  | IdleWork
  | OpenStreamsWork
  | OpenLoopWork
  | StartWork
  | LinkWork
  | PickWork;

/** h2load sends the same request over and over to the server under test. */
export interface H2loadWork {
  readonly kind: "h2load";
  readonly method: "Unary" | "UnaryLater" | "ListUsers" | "ServerStream";
  readonly body: Buffer;
  /** Bytes of a whole answer, from a server that sends no empty fields. */
  readonly leastResponseBytes: number;
  readonly connections: number;
  readonly streams: number;
  /** Units of the case in one request. */
  readonly unitsPerRequest: number;
  /** A fresh process for each measurement, warmed up for this long only. */
  readonly coldWarmUpSeconds?: number;
}

/** The fixed client streams messages to the server under test. */
export interface ClientStreamWork {
  readonly kind: "client-stream";
  readonly streams: number;
}

/** The client under test calls the fixed server. */
export interface ClientWork {
  readonly kind: "client";
  readonly call: "unary" | "stream";
  readonly concurrency: number;
  /** Of each call that streams. Default: 1000 messages of 16 bytes. */
  readonly size?: StreamSize;
  /** Units of the case in one call or message. Default 1. */
  readonly unitsEach?: number;
}

/** The client under test streams from its own framework's server; the CPU time is that of both. */
export interface PairWork {
  readonly kind: "pair";
  readonly concurrency: number;
}

/** Connections are opened to the server under test, and left alone when it has answered the calls on each. */
export interface IdleWork {
  readonly kind: "idle";
  readonly connections: number;
  readonly callsEach: number;
}

/** A load-balancing policy picks among connected endpoints; Tercel's alone, because the peers' cannot be had on their own. */
export interface PickWork {
  readonly kind: "pick";
  readonly policy: PolicyName;
  readonly endpoints: number;
}

/** Streams are opened to the server under test that send one message and do not end. */
export interface OpenStreamsWork {
  readonly kind: "open-streams";
  readonly connections: number;
  readonly streamsEach: number;
}

/** Unary calls arrive at the server under test at random times and at the same rate for every server, however fast it answers. */
export interface OpenLoopWork {
  readonly kind: "open-loop";
  readonly callsPerSecond: number;
  readonly connections: number;
}

/** The server under test is started, as its users have it: built, with nothing cached. */
export interface StartWork {
  readonly kind: "start";
  /** How long the first answer takes from the start of the process, or the resident memory when the calls are answered. */
  readonly measures: "time" | "memory";
  /** Calls that are made after the first one. */
  readonly moreCalls: number;
}

/** Tercel's client and server move data over a link that is slower and longer than this machine's. */
export interface LinkWork {
  readonly kind: "link";
  readonly direction: "upload" | "download";
  readonly bytesPerSecond: number;
  /** There and back. */
  readonly roundTripMs: number;
}
