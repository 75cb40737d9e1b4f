import type { CaseName } from "./cases.ts";
import type { Certificates } from "./certificates.ts";

/** A program to run. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
}

/** What is known before a run: our certificate, and a folder for files that last as long as the run. */
export interface RunSettings {
  readonly certificates: Certificates;
  readonly folder: string;
}

/** The settings of a client in a run with TLS. */
export interface Trust {
  readonly caFile: string;
  readonly serverName: string;
}

/** Another implementation of gRPC, as client and as server. */
export interface Peer {
  readonly name: string;
  /** Commands that have to be on the machine. */
  readonly needs: readonly string[];
  /** Downloads and builds what is missing. Throws when that fails. */
  prepare(): void;
  /** Last preparations for one run, for example a trust store. Default: none. */
  prepareRun?(settings: RunSettings): void;
  /** The client, without the options that all of them take. */
  client(settings: RunSettings): Command;
  /** The client's options for an authority that it has to trust. */
  trustOptions(caFile: string): readonly string[];
  /** The server likewise. */
  server(settings: RunSettings): Command;
  /** For a server that brings a certificate of its own. Default: it takes ours. */
  readonly serverTrust?: Trust;
  /** Its server cannot see whether a message came compressed, so the probe for that is left out. */
  readonly hidesCompression: boolean;
  /** Cases that its client or its server does not have, with the reason. */
  readonly clientLacks: Partial<Record<CaseName, string>>;
  readonly serverLacks: Partial<Record<CaseName, string>>;
}
