import type { StreamSize } from "./peers/echo-values.ts";
import type { PolicyName } from "./pick/picker.ts";

/** A measurement of every subject. */
export interface BenchCase {
  /** `<side>/<what>`. Words of the command line select cases by it. */
  readonly name: string;
  /** Unit of the value. */
  readonly unit: string;
  /** The unit of work for the CPU time. */
  readonly per?: string;
  readonly better: "higher" | "lower";
  /** Over TLS, for subjects that support it. */
  readonly isTls?: true;
  /** Names of subjects that are not measured in this case. The catalogue says why. */
  readonly without?: readonly string[];
  /** Maximum number of rounds, if a round takes minutes. */
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

/** h2load sends the same request repeatedly to the server under test. */
export interface H2loadWork {
  readonly kind: "h2load";
  readonly method: "Unary" | "UnaryLater" | "ListUsers" | "ServerStream";
  readonly body: Buffer;
  /** Bytes of a whole response, from a server that sends no empty fields. */
  readonly leastResponseBytes: number;
  readonly connections: number;
  readonly streams: number;
  /** The number of units of the case in one request. */
  readonly unitsPerRequest: number;
  /** If set, each measurement has a new process, with this warm-up. */
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
  /** The messages of each streaming call. Default: 1000 messages of 16 bytes. */
  readonly size?: StreamSize;
  /** The number of units of the case in one call or message. Default 1. */
  readonly unitsEach?: number;
}

/** The client under test streams from the server of the same framework. The CPU time is that of both. */
export interface PairWork {
  readonly kind: "pair";
  readonly concurrency: number;
}

/** Connections to the server under test, which are idle after the calls on each. */
export interface IdleWork {
  readonly kind: "idle";
  readonly connections: number;
  readonly callsEach: number;
}

/** A load balancing policy picks among connected endpoints. Only Tercel's, because the peers' policies cannot run alone. */
export interface PickWork {
  readonly kind: "pick";
  readonly policy: PolicyName;
  readonly endpoints: number;
}

/** Streams to the server under test that send one message and do not end. */
export interface OpenStreamsWork {
  readonly kind: "open-streams";
  readonly connections: number;
  readonly streamsEach: number;
}

/** Unary calls arrive at the server under test at random times, at the same rate for every server, even if it is slow. */
export interface OpenLoopWork {
  readonly kind: "open-loop";
  readonly callsPerSecond: number;
  readonly connections: number;
}

/** The server under test is started in the form in which users run it: built, without caches. */
export interface StartWork {
  readonly kind: "start";
  /** The time from the start of the process to the first response, or the resident memory after the calls. */
  readonly measures: "time" | "memory";
  /** The number of calls after the first one. */
  readonly moreCalls: number;
}

/** Tercel's client and server transfer data over a simulated slow and long link. */
export interface LinkWork {
  readonly kind: "link";
  readonly direction: "upload" | "download";
  readonly bytesPerSecond: number;
  /** The round trip. */
  readonly roundTripMs: number;
}
